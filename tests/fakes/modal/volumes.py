"""Volumes of version 2: blocks by HTTP first, then a commit that names them all."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from grpclib import GRPCError, Status
from modal_proto import api_pb2
from tests.fakes.modal.files import BLOCK, Files
from tests.fakes.modal.state import State, Volume, not_found


class Volumes:
    """The calls of volumes. A container sees the folder of a volume itself: its writes need no commit."""

    def __init__(self, state: State, files: Files) -> None:
        self._state = state
        self._files = files

    def VolumeGetOrCreate(
        self, request: api_pb2.VolumeGetOrCreateRequest
    ) -> api_pb2.VolumeGetOrCreateResponse:
        name, environment = request.deployment_name, self._state.environment(request.environment_name)
        how = request.object_creation_type
        named = (v for v in self._state.volumes.values() if (v.name, v.environment) == (name, environment))
        found = next(named, None)
        if found and how == api_pb2.OBJECT_CREATION_TYPE_CREATE_FAIL_IF_EXISTS:
            raise GRPCError(Status.ALREADY_EXISTS, f"Volume '{name}' already exists")
        if found is None:
            if how == api_pb2.OBJECT_CREATION_TYPE_UNSPECIFIED:
                raise not_found(f"Volume '{name}'")
            identity = self._state.new_id("vo")
            found = Volume(identity, name, environment, self._state.folder / "volumes" / identity)
            found.folder.mkdir(parents=True)
            self._state.volumes[identity] = found
        return api_pb2.VolumeGetOrCreateResponse(
            volume_id=found.id, version=api_pb2.VOLUME_FS_VERSION_V2, metadata=metadata(found)
        )

    def VolumePutFiles2(self, request: api_pb2.VolumePutFiles2Request) -> api_pb2.VolumePutFiles2Response:
        volume = self._volume(request.volume_id)
        if request.disallow_overwrite_existing_files:
            taken = [file.path for file in request.files if _inside(volume, file.path).exists()]
            if taken:
                raise GRPCError(Status.ALREADY_EXISTS, f"{', '.join(taken)}: already exists")
        missing = [
            api_pb2.VolumePutFiles2Response.MissingBlock(
                file_index=file_index, block_index=block_index, put_url=self._files.block_url(digest)
            )
            for file_index, file in enumerate(request.files)
            for block_index, block in enumerate(file.blocks)
            if not self._files.has(digest := block.contents_sha256.hex())
        ]
        if not missing:
            for file in request.files:
                self._commit(volume, file)
        return api_pb2.VolumePutFiles2Response(missing_blocks=missing)

    async def VolumeListFiles2(
        self, request: api_pb2.VolumeListFiles2Request
    ) -> AsyncIterator[api_pb2.VolumeListFiles2Response]:
        volume = self._volume(request.volume_id)
        start = _inside(volume, request.path)
        if not start.exists():
            raise not_found(f"{request.path}: file or directory")
        if start.is_file():
            found = [start]
        else:
            found = sorted(start.rglob("*") if request.recursive else start.iterdir())
        yield api_pb2.VolumeListFiles2Response(entries=[_entry(volume, path) for path in found])

    def VolumeGetFile2(self, request: api_pb2.VolumeGetFile2Request) -> api_pb2.VolumeGetFile2Response:
        volume = self._volume(request.volume_id)
        path = _inside(volume, request.path)
        if not path.is_file():
            raise not_found(f"{request.path}: file")
        if request.start or request.len:
            raise GRPCError(Status.UNIMPLEMENTED, "This control plane reads whole files only")
        name, size = path.relative_to(volume.folder).as_posix(), path.stat().st_size
        urls = [self._files.part_url(volume.id, name, number) for number in range(-(-size // BLOCK))]
        return api_pb2.VolumeGetFile2Response(get_urls=urls, size=size, start=0, len=size)

    def VolumeRemoveFile2(self, request: api_pb2.VolumeRemoveFile2Request) -> Empty:
        path = _inside(self._volume(request.volume_id), request.path)
        if not path.exists():
            raise not_found(f"{request.path}: file or directory")
        if path.is_dir() and not request.recursive:
            raise GRPCError(Status.FAILED_PRECONDITION, f"{request.path} is a directory")
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return Empty()

    def VolumeList(self, request: api_pb2.VolumeListRequest) -> api_pb2.VolumeListResponse:
        environment = self._state.environment(request.environment_name)
        volumes = [v for v in self._state.volumes.values() if v.environment == environment]
        items = [api_pb2.VolumeListItem(label=v.name, volume_id=v.id, metadata=metadata(v)) for v in volumes]
        return api_pb2.VolumeListResponse(items=items, environment_name=environment)

    def VolumeDelete(self, request: api_pb2.VolumeDeleteRequest) -> Empty:
        shutil.rmtree(self._volume(request.volume_id).folder)
        del self._state.volumes[request.volume_id]
        return Empty()

    def VolumeReload(self, _: api_pb2.VolumeReloadRequest) -> Empty:
        return Empty()

    def VolumeCommit(self, _: api_pb2.VolumeCommitRequest) -> api_pb2.VolumeCommitResponse:
        return api_pb2.VolumeCommitResponse(skip_reload=True)

    def _volume(self, volume_id: str) -> Volume:
        if volume_id not in self._state.volumes:
            raise not_found(f"Volume {volume_id}")
        return self._state.volumes[volume_id]

    def _commit(self, volume: Volume, file: api_pb2.VolumePutFiles2Request.File) -> None:
        path = _inside(volume, file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as into:
            for block in file.blocks:
                with self._files.path(block.contents_sha256.hex()).open("rb") as source:
                    shutil.copyfileobj(source, into)
            into.truncate(file.size)
        path.chmod(file.mode or 0o644)


def metadata(volume: Volume) -> api_pb2.VolumeMetadata:
    """Return what the client keeps of a volume."""
    return api_pb2.VolumeMetadata(version=api_pb2.VOLUME_FS_VERSION_V2, name=volume.name)


def _inside(volume: Volume, path: str) -> Path:
    return volume.folder / path.lstrip("/")


def _entry(volume: Volume, path: Path) -> api_pb2.FileEntry:
    kind = api_pb2.FileEntry.DIRECTORY if path.is_dir() else api_pb2.FileEntry.FILE
    stat = path.stat()
    name = path.relative_to(volume.folder).as_posix()
    return api_pb2.FileEntry(path=name, type=kind, size=stat.st_size, mtime=int(stat.st_mtime))
