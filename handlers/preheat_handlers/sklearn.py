"""`handler = "preheat_handlers.sklearn:SklearnHandler"` and weights called `model`: a scikit-learn estimator.

The weights are a file of skops, which names every type that it holds, so that loading one runs nothing that
is not trusted. A pickle runs whatever its writer put into it: it takes a subclass with `pickled = True`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypedDict

import numpy as np
from numpy.typing import NDArray

import preheat
from preheat.errors import BadInput, HandlerError
from preheat.interface.batching import Batching

if TYPE_CHECKING:
    from preheat_handlers.rows import Trust

Rows = NDArray[np.float64]
NO_ROWS = "There are no rows, and an estimator takes one at least."
_PICKLES = (".pkl", ".pickle", ".joblib")


class SklearnHandler(preheat.Handler):
    """An estimator: rows of numbers in, predictions out; of a classifier probabilities too, if it has any.

    `trusted` names types of a skops file beyond those that skops knows, such as `mymodule.MyScaler`. With
    `pickled`, the weights are your own pickle or joblib file.
    """

    weights: ClassVar[str] = "model"
    trusted: ClassVar[tuple[str, ...]] = ()
    pickled: ClassVar[bool] = False
    max_batch: ClassVar[int] = 64

    estimator: ClassVar[Any]
    together: ClassVar["Trust"]

    @classmethod
    def typed(cls, ctx: preheat.Context) -> type[preheat.Handler]:
        """Return the class whose predict takes and gives what the estimator does."""
        if cls.weights not in ctx.weights:
            raise HandlerError(
                f"{cls.__name__} has no weights {cls.weights!r}.",
                hint=f'[weights.{cls.weights}]\nsource = "file:model.skops"',
            )
        estimator = _load(cls, ctx.weights[cls.weights])
        return _with_types(cls, estimator)

    def examples(self) -> Sequence[Any]:
        """Return one row of zeros."""
        return [{"rows": np.zeros((1, self.estimator.n_features_in_))}]

    def answers(self, inputs: Sequence[Mapping[str, Rows]]) -> list[Any]:
        """Return the answer to each of `inputs`, or what was raised for it."""
        from preheat_handlers.rows import run_rows

        some = [each for each in inputs if len(each["rows"])]
        found = iter(run_rows(self.run, some, self.together))
        outcomes = [next(found) if len(each["rows"]) else BadInput(NO_ROWS) for each in inputs]
        return [each if isinstance(each, Exception) else self.named(each) for each in outcomes]

    def run(self, feeds: Mapping[str, Rows]) -> list[NDArray[Any]]:
        """Return the predictions for rows, and where there are any the probabilities of the classes."""
        found = [np.asarray(self.estimator.predict(feeds["rows"]))]
        if hasattr(self.estimator, "predict_proba"):
            found.append(np.asarray(self.estimator.predict_proba(feeds["rows"]), np.float64))
        return found

    def named(self, found: Sequence[NDArray[Any]]) -> dict[str, Any]:
        """Return an answer from what `run` gave."""
        predictions: Any = found[0]
        if not hasattr(self.estimator, "classes_"):
            return {"predictions": predictions.astype(np.float64)}
        answer: dict[str, Any] = {"labels": [str(label) for label in predictions]}
        return answer | ({"probabilities": found[1]} if len(found) > 1 else {})


def _load(cls: type[SklearnHandler], path: Path) -> Any:
    if path.suffix in _PICKLES:
        return _unpickle(cls, path)
    import skops.io

    try:
        unknown = [name for name in skops.io.get_untrusted_types(file=path) if name not in cls.trusted]
        if not unknown:
            return skops.io.load(path, trusted=list(cls.trusted))
    except Exception as exc:  # skops raises whatever a broken file brings about
        raise HandlerError(
            f"{path.name} does not load: {type(exc).__name__}: {exc}",
            hint='skops.io.dump(estimator, "model.skops")',
        ) from exc
    raise HandlerError(
        f"{path.name} holds types that are not trusted: {', '.join(unknown)}. Loading runs their code.",
        hint="class Model(SklearnHandler):  # in handler.py\n"
        f"    trusted = ({', '.join(map(repr, unknown))},)  # once you know whose they are",
    )


def _unpickle(cls: type[SklearnHandler], path: Path) -> Any:
    if not cls.pickled:
        raise HandlerError(
            f"{path.name} is a pickle, which runs whatever its writer put into it.",
            hint='skops.io.dump(estimator, "model.skops")  # or, for your own file: pickled = True in a '
            "subclass of SklearnHandler",
        )
    import joblib

    return joblib.load(path)


def _with_types(cls: type[SklearnHandler], estimator: Any) -> type[preheat.Handler]:
    columns = getattr(estimator, "n_features_in_", None)
    if columns is None or not hasattr(estimator, "predict"):
        raise HandlerError(
            f"{type(estimator).__name__} is no fitted estimator with predict and n_features_in_.",
            hint="estimator.fit(X, y) before it is written",
        )
    taken = {"rows": Annotated[Rows, preheat.Tensor("float64", (None, int(columns)))]}
    given = _given(estimator, np.asarray(estimator.predict(np.zeros((1, int(columns))))).shape[1:])

    def predict(self: SklearnHandler, inputs: list[Any]) -> list[Any]:
        return self.answers(inputs)

    from preheat_handlers.rows import Trust

    method: Any = predict
    method.__preheat_batching__ = Batching(cls.max_batch, 5.0, rows=True)
    inputs, outputs = TypedDict("Inputs", taken), TypedDict("Outputs", given)  # type: ignore[operator]
    method.__annotations__ = {"inputs": list[inputs], "return": list[outputs]}  # type: ignore[valid-type]
    members = {"predict": predict, "estimator": estimator, "together": Trust(), "__doc__": cls.__doc__}
    return type(cls.__name__, (cls,), members | {"__module__": cls.__module__})


def _given(estimator: Any, row: tuple[int, ...]) -> dict[str, Any]:
    """Return the members of an answer; `row` is the shape of the prediction for one row."""
    if not hasattr(estimator, "classes_"):
        return {"predictions": Annotated[Rows, preheat.Tensor("float64", (None, *row))]}
    if row:
        raise HandlerError(
            f"{type(estimator).__name__} predicts {row[0]} labels for each row; SklearnHandler gives one.",
            hint="A handler of your own: class Model(preheat.Handler):",
        )
    given: dict[str, Any] = {"labels": list[str]}
    if hasattr(estimator, "predict_proba"):
        shape = (None, len(estimator.classes_))
        given["probabilities"] = Annotated[Rows, preheat.Tensor("float64", shape)]
    return given
