import pytest

from gnomon.profilers import ProfilerError, errors
from gnomon.profilers.errors import error_class

NAMES = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, ProfilerError)]


@pytest.mark.parametrize("name", NAMES)
def test_every_error_can_be_built_again_from_its_name_and_message(name):
    error = error_class(name)("what happened")
    assert type(error).__name__ == name
    assert str(error) == "what happened"


@pytest.mark.parametrize("name", NAMES)
def test_every_error_is_drawn_in_the_tree(name):
    assert name in errors.__doc__


def test_an_unknown_name_gives_the_base_error():
    assert error_class("ValueError") is ProfilerError
