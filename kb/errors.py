"""The error tree. Every leaf has a stable code; every message says what to do next."""

from __future__ import annotations

from typing import ClassVar


class WeighbridgeError(Exception):
    """Root of everything this project raises on purpose."""

    code: ClassVar[str] = "error"


# -- what the caller sent ------------------------------------------------------------------------


class InputError(WeighbridgeError):
    """The request can't be carried out as it was sent."""

    code = "invalid_input"


class EmptyQuestion(InputError):
    code = "empty_question"


class QuestionTooLong(InputError):
    code = "question_too_long"


class InvalidFilter(InputError):
    code = "invalid_filter"


class PathNotAllowed(InputError):
    """A name that leads out of the folder that it belongs to, or could."""

    code = "path_not_allowed"


class NotFound(WeighbridgeError):
    """What was named does not exist."""

    code = "not_found"


class DocumentNotFound(NotFound):
    code = "document_not_found"


class RevisionNotFound(NotFound):
    code = "revision_not_found"


class VersionNotFound(NotFound):
    code = "corpus_version_not_found"


class JobNotFound(NotFound):
    code = "job_not_found"


class ConversationNotFound(NotFound):
    code = "conversation_not_found"


class AnswerNotFound(NotFound):
    """It expired, was deleted, or was never stored."""

    code = "answer_not_found"


# -- files ---------------------------------------------------------------------------------------


class UnreadableFile(WeighbridgeError):
    """A file that can't become a document; the rest of an ingest goes on without it."""

    code = "unreadable_file"


class FileMissing(UnreadableFile):
    code = "file_missing"


class FileEmpty(UnreadableFile):
    code = "file_empty"


class FileTooLarge(UnreadableFile):
    code = "file_too_large"


class FileChanging(UnreadableFile):
    """Something is still writing it."""

    code = "file_changing"


class FormatUnsupported(UnreadableFile):
    code = "format_unsupported"


class FileIsBinary(UnreadableFile):
    code = "file_is_binary"


class EncodingInvalid(UnreadableFile):
    code = "encoding_invalid"


class FrontMatterInvalid(UnreadableFile):
    code = "front_matter_invalid"


class FileEncrypted(UnreadableFile):
    """Only someone with its password can read it."""

    code = "file_encrypted"


class FileDamaged(UnreadableFile):
    """Cut off, or not what its name says."""

    code = "file_damaged"


class FileWithoutText(UnreadableFile):
    """Pictures of pages, such as scans."""

    code = "file_without_text"


class FileTooComplex(UnreadableFile):
    """More pages, levels, unpacked bytes or work than a file may ask for."""

    code = "file_too_complex"


# -- stores --------------------------------------------------------------------------------------


class StoreError(WeighbridgeError):
    """The catalog or the vector store."""

    code = "store_error"


class IndexMismatch(StoreError):
    """The index was made with another embedder, dimension or splitter."""

    code = "index_mismatch"


class StoreInUse(StoreError):
    """Another process owns the store; two on one path lose rows."""

    code = "store_in_use"


class StoreUnavailable(StoreError):
    code = "store_unavailable"


class MigrationIncomplete(StoreError):
    """The new index lacks documents that have become current since it was built."""

    code = "migration_incomplete"


# -- jobs ----------------------------------------------------------------------------------------


class JobError(WeighbridgeError):
    code = "job_error"


class TooManyJobs(JobError):
    code = "too_many_jobs"


class ServerStopping(JobError):
    """The server was told to end; it takes no more jobs."""

    code = "server_stopping"


class JobInterrupted(JobError):
    """The server ended while the job was under way, and it can't be carried out again."""

    code = "job_interrupted"


class JobCancelled(JobError):
    """Someone cancelled the job; nothing of it became current."""

    code = "job_cancelled"


class JobEnded(JobError):
    """What has ended can't be cancelled."""

    code = "job_ended"


class IdempotencyKeyReused(JobError):
    """The key came with another request before."""

    code = "idempotency_key_reused"


# -- models and weights --------------------------------------------------------------------------


class ModelError(WeighbridgeError):
    code = "model_error"


class ModelNotReady(ModelError):
    """The chat model is still loading, or its weights are still being fetched."""

    code = "model_not_ready"


class ModelFailed(ModelError):
    """The chat model broke off, stalled or answered nonsense."""

    code = "model_failed"


class UnknownModel(ModelError):
    code = "unknown_model"


class Overloaded(ModelError):
    """As many questions as may wait for the chat model do so already."""

    code = "overloaded"


class WeightsMissing(ModelError):
    code = "weights_missing"


class WeightsCorrupt(ModelError):
    """A file whose sha256 is not the pinned one; it has been deleted."""

    code = "weights_corrupt"


class WeightsUnavailable(ModelError):
    """Neither the hub nor the package registry could be reached."""

    code = "weights_unavailable"


class EncoderMismatch(ModelError):
    """The exported encoder does not reproduce the reference."""

    code = "encoder_mismatch"


# -- settings and servers ------------------------------------------------------------------------


class SettingsInvalid(WeighbridgeError):
    code = "settings_invalid"


class ServerUnreachable(WeighbridgeError):
    """The server that owns the store does not answer."""

    code = "server_unreachable"


class PortTaken(WeighbridgeError):
    code = "port_taken"


class WorkersUnavailable(WeighbridgeError):
    """The processes that were to share the work don't start, or one of them ended."""

    code = "workers_unavailable"


def leaves(root: type[WeighbridgeError] = WeighbridgeError) -> list[type[WeighbridgeError]]:
    """Every error that can be raised: the tree's leaves, in definition order."""
    below = root.__subclasses__()
    return [leaf for child in below for leaf in leaves(child)] if below else [root]
