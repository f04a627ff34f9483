import pytest

from netbench.lab.api.selectors import field_test, label_test
from netbench.lab.api.statuses import ApiError

POD = {"app": "netbench", "netbench/kind": "terway"}


@pytest.mark.parametrize(
    ("selector", "holds"),
    [
        ("", True),
        ("app=netbench", True),
        ("app==netbench,netbench/kind=terway", True),
        ("app=other", False),
        ("app=", False),
        ("app!=other", True),
        ("tier!=web", True),
        ("netbench/kind in (terway, terway-eni),app", True),
        ("netbench/kind in (terway-eni)", False),
        ("netbench/kind notin (terway)", False),
        ("tier notin (web)", True),
        ("app", True),
        ("!app", False),
        ("!tier", True),
    ],
)
def test_label_selectors(selector: str, holds: bool) -> None:
    assert label_test(selector)(POD) is holds


@pytest.mark.parametrize("selector", ["app in terway", "a b", "=x", "app=(", "app>1"])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement") as caught:
        label_test(selector)
    assert caught.value.code == 400


def test_field_selectors() -> None:
    holds = field_test("spec.nodeName=a1,status.phase!=Failed", ("spec.nodeName", "status.phase"))
    assert holds({"spec.nodeName": "a1", "status.phase": "Running"})
    assert not holds({"spec.nodeName": "a2", "status.phase": "Running"})
    with pytest.raises(ApiError, match=r'not supported: "spec\.image"'):
        field_test("spec.image=x", ("spec.nodeName",))
