"""What a processor says that it can do."""

import pytest

from gnomon.supernets.training.processor import multiplies_bfloat16


@pytest.mark.parametrize(
    ("said", "multiplies"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu amx_tile amx_bf16\n", True),
        ("Features\t: fp asimd i8mm bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\nbugs\t: bf16\n", False),
        ("Features\t: fp asimd asimddp\n", False),
        ("cpu\t: POWER9\n", True),  # it does not say
    ],
)
def test_flags_say_whether_a_processor_multiplies_in_bfloat16(said, multiplies, tmp_path):
    (tmp_path / "cpuinfo").write_text(said)
    assert multiplies_bfloat16(tmp_path / "cpuinfo") is multiplies


def test_a_system_without_flags_is_taken_at_the_recipe_s_word(tmp_path):
    assert multiplies_bfloat16(tmp_path / "none")
