"""Going on with a run, after a crash or for more draws, as if it had never been stopped."""

from dataclasses import replace
from pathlib import Path

from ebmlang.api.load import build_model
from ebmlang.api.model import Model
from ebmlang.api.origin import RecordedLoader, read_origin
from ebmlang.api.sample import begin_session, draw_samples
from ebmlang.runs import Samples
from ebmlang.runs.directory import RunDirectory, open_run
from ebmlang.runs.manifest import Manifest, hash_arrays
from ebmlang.runs.run_state import RunState, read_state
from ebmlang.runs.sink import reopen_run
from ebmlang.runtime import Progress, pick_device
from ebmlang.source import Diagnostic, EbmError


def resume_run(
    path: Path,
    *,
    model: Model | None = None,
    draws: int | None = None,
    seconds: float | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> Samples:
    """Go on with a run.

    Args:
        path: The folder of the run.
        model: What it was a run of, for it to be compared; taken from the run if None.
        draws: Points of each chain in the end; as many as were asked for if None.
        seconds: Limit on the time [s].
        device: `cpu`, `cuda`, or `auto`.
        progress: Hears how far the run is.

    Raises:
        EbmError: E0806 where there is no run, E0807 where the model is another, E0903 for fewer
            draws than before, and what `sample` raises.
    """
    run = open_run(path)
    if model is None:
        model = read_model(run)
    else:
        _require_same(run, model)
    settings = run.manifest.settings
    wanted = settings.draws if draws is None else draws
    if wanted < settings.draws:
        raise _refuse(
            "E0903",
            f"`{path}` is a run of {settings.draws} draws, and cannot become one of {wanted}",
            "ask for more draws, or take the first ones of those that there are",
        )
    state = read_state(run, pick_device(device))
    manifest = replace(run.manifest, settings=replace(settings, draws=wanted))
    if run.draws < wanted:
        manifest = _add_session(manifest, state, device)
    return draw_samples(
        model.bind(accept_unreliable=settings.accept_unreliable),
        manifest,
        run=reopen_run(run, manifest, state),
        state=state,
        seconds=seconds,
        device=device,
        progress=progress,
    )


def read_model(run: RunDirectory) -> Model:
    """Return the model of a run, with its data and weights, from what the run has kept.

    Raises:
        EbmError: E0806 where it cannot be read, E0807 where it needs functions from Python.
    """
    manifest = run.manifest
    if manifest.functions:
        called = ", ".join(f"`{name}`" for name in manifest.functions)
        raise _refuse(
            "E0807",
            f"`{run.path}` cannot go on by itself: its spec calls functions from Python, {called}",
            f'go on from Python, with `model.resume("{run.path}")`',
        )
    origin = read_origin(manifest.spec)
    model = build_model(origin.main, loader=RecordedLoader(origin), constants=origin.constants)
    return model.bind(run.read_data(), manifest.weights)


def _require_same(run: RunDirectory, model: Model) -> None:
    """Raise where a model is not that of a run: its draws would be of two densities.

    Raises:
        EbmError: E0807.
    """
    manifest = run.manifest
    same = {
        "another spec": model.origin.hash == manifest.spec_hash,
        "other data": hash_arrays(model.data) == manifest.data_hash,
        "other weights": dict(model.weights) == dict(manifest.weights),
    }
    changed = [what for what, is_same in same.items() if not is_same]
    if changed:
        raise _refuse(
            "E0807",
            f"`{run.path}` is a run of {' and '.join(changed)}",
            f"`ebm sample --resume {run.path}`, without a spec, goes on with what it was begun "
            "with; a changed spec needs a new run",
        )


def _add_session(manifest: Manifest, state: RunState | None, device: str) -> Manifest:
    """Remember that another process works on a run; of those before, whose work is in it."""
    iteration = 0 if state is None else state.place.iteration
    before = tuple(one for one in manifest.sessions if one.iteration < iteration)
    return replace(manifest, sessions=(*before, begin_session(iteration, device)))


def _refuse(code: str, headline: str, *helps: str) -> EbmError:
    return EbmError(Diagnostic(code=code, headline=headline, helps=helps))
