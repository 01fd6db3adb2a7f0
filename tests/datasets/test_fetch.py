"""The downloads, with scikit-learn's function replaced: no test opens a connection."""

from urllib.error import HTTPError, URLError

import numpy as np
import pytest
import sklearn.datasets
from sklearn.utils import Bunch

from imbkit._core import messages
from imbkit.datasets import fetch_credit_card_fraud, fetch_kddcup99
from imbkit.exceptions import FetchError, MissingExtraError

FETCHERS = pytest.mark.parametrize(
    ("fetch", "data_id", "positive"),
    [(fetch_credit_card_fraud, 1597, "1"), (fetch_kddcup99, 1113, None)],
)


@pytest.fixture
def calls(monkeypatch):
    made = []

    def fake(**options):
        made.append(options)
        return Bunch(data=np.zeros((3, 2)), target=np.array(["0", "1", "0"]), frame=None)

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fake)
    return made


@FETCHERS
def test_the_right_table_is_asked_for(fetch, data_id, positive, calls, tmp_path):
    bunch = fetch(data_home=tmp_path, as_frame=False)
    assert calls == [
        {
            "data_id": data_id,
            "data_home": str(tmp_path),
            "as_frame": False,
            "parser": "liac-arff",
        }
    ]
    assert bunch.positive_label == positive
    fetch()
    assert calls[1] == {"data_id": data_id, "data_home": None, "as_frame": True, "parser": "auto"}


@FETCHERS
def test_the_pair_is_data_and_target(fetch, data_id, positive, calls):
    data, target = fetch(return_X_y=True)
    assert data.shape == (3, 2)
    assert target.tolist() == ["0", "1", "0"]


@FETCHERS
@pytest.mark.parametrize(
    "error",
    [
        URLError("Name or service not known"),
        HTTPError("https://www.openml.org", 503, "Service Unavailable", None, None),
        TimeoutError("timed out"),
        ConnectionResetError(104, "reset by peer"),
    ],
)
def test_without_a_network_the_error_says_what_to_do(fetch, data_id, positive, error, monkeypatch):
    def offline(**options):
        raise error

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    with pytest.raises(FetchError) as caught:
        fetch()
    text = str(caught.value)
    assert text.startswith(f"{fetch.__name__}: OpenML data set {data_id} must be downloadable")
    assert type(error).__name__ in text
    assert "data_home" in text
    assert isinstance(caught.value, OSError)
    assert caught.value.__cause__ is error


@FETCHERS
def test_other_errors_pass(fetch, data_id, positive, monkeypatch):
    def broken(**options):
        raise ValueError("md5 checksum does not match")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", broken)
    with pytest.raises(ValueError, match="md5"):
        fetch()


@FETCHERS
def test_frames_need_pandas_before_anything_is_fetched(
    fetch, data_id, positive, calls, monkeypatch
):
    def absent(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(messages, "import_module", absent)
    with pytest.raises(MissingExtraError, match="pandas"):
        fetch()
    assert calls == []
    fetch(as_frame=False)
    assert len(calls) == 1
