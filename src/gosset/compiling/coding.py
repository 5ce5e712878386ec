"""The code version of an experiment: digests and sources of all that its stages reach."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..fingerprint import Code, Planned, code_digest, combine, digest
from ..pipeline import Pipeline
from ..stages import Stage
from ..types import JSONValue


@dataclass(frozen=True, slots=True)
class CodeVersion:
    """What the work of an experiment is made of.

    Attributes
    ----------
    stages : mapping
        Stage → digest of its code, views included; a declared version in its place.
    fingerprint : str
        Digest over what the experiment declares, stages, components and metrics of the
        user's own: the identity of the execution.
    content : mapping
        For the catalog: ``stages`` {stage → {digest, parts, packages, version}},
        ``sources`` {component → source}, ``unresolved``.
    files : mapping
        Stage → files whose content counts in the digest of its code.
    """

    stages: Mapping[str, str]
    fingerprint: str
    content: Mapping[str, JSONValue]
    files: Mapping[str, tuple[Planned, ...]] = field(default_factory=dict)


def code_version(
    pipeline: Pipeline,
    components: Mapping[str, object],
    *,
    scores: Collection[str] = (),
    metrics: Iterable[Stage] = (),
) -> CodeVersion:
    """Digest the code of all stages of `pipeline`, and the further `components`.

    Parameters
    ----------
    pipeline : Pipeline
    components : mapping
        Name → function or value that belongs to the code version.
    scores : collection of str
        Stages that this launch asks for, which make no other code version.
    metrics : iterable of Stage
        Those that the experiment declares: the user's own code among them counts, whether
        this launch asks for them or not.
    """
    digests: dict[str, str] = {}
    files: dict[str, tuple[Planned, ...]] = {}
    stages: dict[str, JSONValue] = {}
    sources: dict[str, JSONValue] = {}
    unresolved: set[str] = set()
    for name, stage in pipeline.stages.items():
        code = code_digest(stage.function, depends=stage.depends)
        digests[name] = f"version:{stage.version}" if stage.version else code.digest
        if code.files and not stage.version:
            files[name] = code.files
        if stage.view:
            continue
        stages[name] = _described(code, stage.version)
        sources.update(code.sources)
        unresolved.update(code.unresolved)
    counted = [name for name in sorted(stages) if name not in scores]
    parts = [text for name in counted for text in (name, digests[name])]
    for metric in sorted(metrics, key=lambda metric: metric.name):
        code = code_digest(metric.function, depends=metric.depends)
        if code.parts:
            stages.setdefault(metric.name, _described(code, metric.version))
            sources.update(code.sources)
            parts += [f"metric {metric.name}", metric.version or code.digest]
    for name in sorted(components):
        value = components[name]
        if callable(value) and not isinstance(value, type) and not hasattr(value, "get_params"):
            code = code_digest(value)
            sources.update(code.sources)
            stages[name] = _described(code, "")
            parts += [name, code.digest]
        else:
            parts += [name, digest(value, where=name)]
            sources[name] = repr(value)
    content: dict[str, JSONValue] = {
        "stages": stages,
        "sources": sources,
        "unresolved": [*sorted(unresolved)],
    }
    return CodeVersion(digests, combine("execution", *parts), content, files)


def with_versioned_views(pipeline: Pipeline, codes: Mapping[str, str]) -> Pipeline:
    """Return `pipeline` with the digest of each view's code as its version."""
    stages = {
        name: replace(stage, version=codes[name]) if stage.view else stage
        for name, stage in pipeline.stages.items()
    }
    return replace(pipeline, stages=stages)


def _described(code: Code, version: str) -> JSONValue:
    return {
        "digest": code.digest,
        "parts": dict(code.parts),
        "packages": dict(code.packages),
        "version": version,
    }
