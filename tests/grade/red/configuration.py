"""Configuration: what pytest reads from the repository under test."""

from __future__ import annotations

from . import Attack

TAMPERED = r"tampered configuration"

REPORT = """
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    report.outcome = "passed"
    report.longrepr = None
"""
FINISH = """
def pytest_sessionfinish(session, exitstatus):
    session.exitstatus = 0
"""

ATTACKS = [
    Attack(
        name="a conftest.py that makes every report a success",
        fools=True,
        files={"conftest.py": REPORT},
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py that runs no test's body",
        fools=True,
        files={"conftest.py": "def pytest_pyfunc_call(pyfuncitem):\n    return True\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py that changes the exit status",
        fools=True,
        files={"conftest.py": FINISH},
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py that expects every test to fail",
        fools=True,
        files={
            "conftest.py": """
            import pytest

            def pytest_collection_modifyitems(items):
                for item in items:
                    item.add_marker(pytest.mark.xfail)
            """
        },
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py whose fixture skips whatever uses it",
        fools=True,
        files={
            "conftest.py": """
            import pytest

            @pytest.fixture(autouse=True)
            def not_today():
                pytest.skip("not today")
            """
        },
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py that drops the tests that fail",
        fools=True,
        files={
            "conftest.py": """
            def pytest_collection_modifyitems(items):
                items[:] = [item for item in items if "relu" not in item.name]
            """
        },
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py beside the modules of the package",
        fools=True,
        files={"tinytorch/conftest.py": FINISH},
        says=TAMPERED,
    ),
    Attack(
        name="a pytest.ini that only collects",
        fools=True,
        files={"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a hidden .pytest.ini that asks for help",
        fools=True,
        files={".pytest.ini": "[pytest]\naddopts = --help\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a pyproject.toml that selects by name",
        fools=True,
        files={"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k module_is_there'\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a tox.ini in which functions of other names are tests",
        fools=True,
        files={"tox.ini": "[pytest]\npython_functions = test_the_*\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a setup.cfg that loads a plugin from the repository",
        fools=True,
        files={"setup.cfg": "[tool:pytest]\naddopts = -p winner\n", "winner.py": REPORT},
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py in which a hook is a lambda",
        fools=True,
        files={"conftest.py": "pytest_pyfunc_call = lambda pyfuncitem: True\n"},
        says=TAMPERED,
    ),
    Attack(
        name="a conftest.py that takes a hook from another file",
        fools=True,
        files={"conftest.py": "from winner import pytest_runtest_makereport\n", "winner.py": REPORT},
        says=TAMPERED,
    ),
]
