"""Blobs and mounts: what is uploaded by its content."""

import hashlib

from grpclib import GRPCError, Status
from modal_proto import api_pb2
from tests.fakes.modal.files import Files
from tests.fakes.modal.state import Mount, State


class Storage:
    """The calls of uploads; the content of blobs comes and goes by HTTP."""

    def __init__(self, state: State, files: Files) -> None:
        self._state = state
        self._files = files

    def BlobCreate(self, _: api_pb2.BlobCreateRequest) -> api_pb2.BlobCreateResponse:
        blob = self._state.new_id("bl")
        url = self._files.blob_url(blob)
        return api_pb2.BlobCreateResponse(
            blob_id=blob, blob_ids=[blob], upload_urls=api_pb2.UploadUrlList(items=[url])
        )

    def BlobGet(self, request: api_pb2.BlobGetRequest) -> api_pb2.BlobGetResponse:
        return api_pb2.BlobGetResponse(download_url=self._files.blob_url(request.blob_id))

    def MountBatchedCheckExistence(
        self, request: api_pb2.MountBatchedCheckExistenceRequest
    ) -> api_pb2.MountBatchedCheckExistenceResponse:
        missing = [digest for digest in request.sha256_hex_hashes if not self._files.has(digest)]
        return api_pb2.MountBatchedCheckExistenceResponse(missing_sha256_hex_hashes=missing)

    def MountPutFile(self, request: api_pb2.MountPutFileRequest) -> api_pb2.MountPutFileResponse:
        digest = request.sha256_hex
        match request.WhichOneof("data_oneof"):
            case "data_blob_id":
                data = self._files.blob(request.data_blob_id)
            case "data":
                data = request.data
            case _:
                return api_pb2.MountPutFileResponse(exists=self._files.has(digest))
        if hashlib.sha256(data).hexdigest() != digest:
            raise GRPCError(Status.INVALID_ARGUMENT, f"The file is not {digest}")
        self._files.put(digest, data)
        return api_pb2.MountPutFileResponse(exists=True)

    def MountGetOrCreate(self, request: api_pb2.MountGetOrCreateRequest) -> api_pb2.MountGetOrCreateResponse:
        missing = [file.filename for file in request.files if not self._files.has(file.sha256_hex)]
        if missing:
            raise GRPCError(Status.FAILED_PRECONDITION, f"Not uploaded: {', '.join(missing)}")
        if request.namespace == api_pb2.DEPLOYMENT_NAMESPACE_GLOBAL:
            content = request.deployment_name
        else:
            listed = sorted(f"{f.filename} {f.sha256_hex} {f.mode:o}" for f in request.files)
            content = "\n".join(listed)
        digest = hashlib.sha256(content.encode()).hexdigest()
        mount = Mount(f"mo-{digest[:20]}", request.deployment_name, tuple(request.files))
        self._state.mounts[mount.id] = mount
        return api_pb2.MountGetOrCreateResponse(
            mount_id=mount.id, handle_metadata=api_pb2.MountHandleMetadata(content_checksum_sha256_hex=digest)
        )
