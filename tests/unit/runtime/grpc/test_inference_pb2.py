import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from tritonclient.grpc import service_pb2

from preheat.runtime.grpc import inference_pb2

FOLDER = Path(inference_pb2.__file__).parent


def test_what_is_generated_is_what_the_proto_says(tmp_path: Path) -> None:
    out = (f"--descriptor_set_out={tmp_path / 'inference.binpb'}", f"--pyi_out={tmp_path}")
    command = [sys.executable, "-m", "grpc_tools.protoc", f"--proto_path={FOLDER}", *out, "inference.proto"]
    subprocess.run(command, check=True, capture_output=True)
    sets = [(folder / "inference.binpb").read_bytes() for folder in (tmp_path, FOLDER)]
    made, kept = map(FileDescriptorSet.FromString, sets)
    assert made == kept, "run: make proto"
    names = [
        [line for line in (folder / "inference_pb2.pyi").read_text().splitlines() if "class " in line]
        for folder in (tmp_path, FOLDER)
    ]
    assert names[0] == names[1], "run: make proto"


def test_the_names_and_the_numbers_are_those_of_the_reference_client() -> None:
    ours, theirs = FileDescriptorProto(), FileDescriptorProto()
    inference_pb2.DESCRIPTOR.CopyToProto(ours)
    service_pb2.DESCRIPTOR.CopyToProto(theirs)
    known = {message.name: message for message in theirs.message_type}
    for message in ours.message_type:
        assert fields(message) <= fields(known[message.name]), message.name
        nested = {inner.name: inner for inner in known[message.name].nested_type}
        for inner in message.nested_type:
            assert fields(inner) <= fields(nested[inner.name]), f"{message.name}.{inner.name}"
    (service,) = ours.service
    methods = {(each.name, each.input_type, each.output_type) for each in theirs.service[0].method}
    assert {(each.name, each.input_type, each.output_type) for each in service.method} <= methods


def fields(message: object) -> set[tuple[str, int, int, int, str]]:
    return {
        (each.name, each.number, each.type, each.label, each.type_name)
        for each in message.field  # type: ignore[attr-defined]
    }
