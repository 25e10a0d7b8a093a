"""The messages of inference.proto, whose types inference_pb2.pyi has.

protoc's own Python module is left out: it puts the messages into the process's default pool, where those
of tritonclient and KServe have the same names, and a process with both of them would not start.
"""

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_set = FileDescriptorSet.FromString(Path(__file__).with_name("inference.binpb").read_bytes())
_pool = DescriptorPool()
for _file in _set.file:
    _pool.Add(_file)

DESCRIPTOR = _pool.FindFileByName("inference.proto")
globals().update({name: GetMessageClass(each) for name, each in DESCRIPTOR.message_types_by_name.items()})
