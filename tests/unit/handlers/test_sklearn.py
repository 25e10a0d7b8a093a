from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler, scale
from sklearn.svm import LinearSVC
from tests.fakes.handlers import Started, context

from preheat.errors import BadInput, HandlerError
from preheat_handlers.sklearn import SklearnHandler

X = np.random.default_rng(3).standard_normal((40, 3))
SPECIES = np.array(["a", "b"])[(X[:, 0] > 0).astype(int)]


class Own(BaseEstimator):  # type: ignore[misc]
    """A type that skops does not know."""

    def fit(self, rows: Any) -> "Own":
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: Any) -> Any:
        return rows.sum(axis=1)


def written(tmp_path: Path, estimator: Any) -> Path:
    skops.io.dump(estimator, tmp_path / "model.skops")
    return tmp_path / "model.skops"


def started(tmp_path: Path, path: Path, handler: type[SklearnHandler] = SklearnHandler) -> Started:
    return Started(handler, context(tmp_path, model=path))


def test_a_classifier_answers_labels_and_probabilities(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, SPECIES)
    found = started(tmp_path, written(tmp_path, model))
    answer = found.ask({"rows": X[:5].tolist()})
    assert answer["labels"] == model.predict(X[:5]).tolist()
    assert np.allclose(answer["probabilities"], model.predict_proba(X[:5]))
    tensor = found.contract.input.schema["properties"]["rows"]["x-preheat-tensor"]
    assert tensor == {"dtype": "float64", "shape": [None, 3]}


def test_one_without_probabilities_answers_labels_alone(tmp_path: Path) -> None:
    model = LinearSVC().fit(X, SPECIES)
    assert started(tmp_path, written(tmp_path, model)).ask({"rows": X[:2].tolist()}).keys() == {"labels"}


@pytest.mark.parametrize("targets", [X[:, 0], X[:, :2]])
def test_a_regressor_answers_numbers_of_the_shape_that_it_predicts(tmp_path: Path, targets: Any) -> None:
    model = LinearRegression().fit(X, targets)
    answer = started(tmp_path, written(tmp_path, model)).ask({"rows": X[:4].tolist()})
    assert np.allclose(answer["predictions"], model.predict(X[:4]))


def test_clusters_are_numbers(tmp_path: Path) -> None:
    model = KMeans(2, n_init=1, random_state=0).fit(X)
    answer = started(tmp_path, written(tmp_path, model)).ask({"rows": X[:4].tolist()})
    assert answer["predictions"] == model.predict(X[:4]).tolist()


def test_requests_run_together_and_each_gets_its_own(tmp_path: Path) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    one, two = started(tmp_path, written(tmp_path, model)).ask(
        {"rows": X[:1].tolist()}, {"rows": X[1:4].tolist()}
    )
    assert np.allclose(one["predictions"] + two["predictions"], model.predict(X[:4]))


def test_no_rows_are_the_callers_mistake_alone_and_in_company(tmp_path: Path) -> None:
    model = LinearRegression().fit(X, X[:, 0])
    found = started(tmp_path, written(tmp_path, model))
    none = {"rows": np.zeros((0, 3)).tolist()}
    (wrong,) = found.ask(none, {"rows": X[:1].tolist()})[:1]
    assert isinstance(wrong, BadInput)
    assert wrong.message == "There are no rows, and an estimator takes one at least."
    assert isinstance(found.ask(none), BadInput)


def test_an_estimator_that_looks_at_all_rows_gets_each_request_alone(tmp_path: Path) -> None:
    centred = make_pipeline(FunctionTransformer(scale), LinearRegression()).fit(X, X[:, 0])
    found = started(tmp_path, written(tmp_path, centred), Scaled)
    asked = [{"rows": X[:5].tolist()}, {"rows": (100 * X[5:9]).tolist()}]
    for given, answer in zip(asked, found.ask(*asked), strict=True):
        assert np.allclose(answer["predictions"], centred.predict(np.array(given["rows"])))


class Scaled(SklearnHandler):
    """Trusts what scales."""

    trusted = ("sklearn.preprocessing._data.scale",)


def test_a_type_that_is_not_trusted_is_named_and_may_be(tmp_path: Path) -> None:
    path = written(tmp_path, Own().fit(X))
    with pytest.raises(HandlerError, match=r"holds types that are not trusted: .*\.Own") as raised:
        started(tmp_path, path)
    name = f"{Own.__module__}.Own"
    assert f"trusted = ({name!r},)" in str(raised.value.hint)

    class Trusting(SklearnHandler):
        trusted = (name,)

    assert started(tmp_path, path, Trusting).ask({"rows": [[1.0, 2.0, 3.0]]}) == {"predictions": [6.0]}


def test_a_pickle_is_loaded_only_where_a_subclass_says_so(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump(LinearRegression().fit(X, X[:, 0]), path)
    with pytest.raises(HandlerError, match="is a pickle, which runs whatever its writer put into it"):
        started(tmp_path, path)

    class Pickled(SklearnHandler):
        pickled = True

    assert len(started(tmp_path, path, Pickled).ask({"rows": X[:2].tolist()})["predictions"]) == 2


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LinearRegression(), "LinearRegression is no fitted estimator"),
        (
            MultiOutputClassifier(LogisticRegression()).fit(X, (X[:, :2] > 0)),
            "predicts 2 labels for each row",
        ),
    ],
)
def test_an_estimator_that_it_cannot_serve_is_said(tmp_path: Path, estimator: Any, message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        started(tmp_path, written(tmp_path, estimator))


def test_a_broken_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "model.skops").write_bytes(b"PK nothing")
    with pytest.raises(HandlerError, match=r"model\.skops does not load"):
        started(tmp_path, tmp_path / "model.skops")


def test_its_example_fits_its_contract(tmp_path: Path) -> None:
    found = started(tmp_path, written(tmp_path, LinearRegression().fit(X, X[:, 0])))
    (example,) = found.handler.examples()
    assert found.contract.input.encode(example)["rows"].shape == (1, 3)
