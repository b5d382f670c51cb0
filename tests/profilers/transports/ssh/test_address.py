import pytest

from gnomon.profilers import AddressInvalid, open_device
from gnomon.profilers.transports.ssh.address import SshAddress, address_from_text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://board", SshAddress("board")),
        ("ssh://pi@raspberrypi.local:2222", SshAddress("raspberrypi.local", "pi", 2222)),
        ("ssh://pi@[fe80::1%eth0]:22", SshAddress("fe80::1%eth0", "pi", 22)),
        (
            "ssh://my_board/?python=/opt/python3.9/bin/python3",
            SshAddress("my_board", python="/opt/python3.9/bin/python3"),
        ),
        ("ssh://board?python=~/venv/bin/python", SshAddress("board", python="venv/bin/python")),
    ],
)
def test_an_address_says_who_where_and_which_python(text, address):
    assert address_from_text(text) == address


def test_an_address_is_shown_as_it_would_be_written():
    assert str(address_from_text("ssh://pi@[fe80::1]:22?python=python3.11")) == "ssh://pi@[fe80::1]:22"
    assert address_from_text("ssh://pi@board:22").login == "ssh -p 22 pi@board"


@pytest.mark.parametrize(
    "text",
    [
        "ssh://",
        "ssh://-oProxyCommand=touch%20x",
        "ssh://-l@board",
        "ssh://pi@-board",
        "ssh://pi board",
        "ssh://board\n",
        "ssh://board;reboot",
        "ssh://$(reboot)",
        "ssh://board:0",
        "ssh://board:65536",
        "ssh://board:-1",
        "ssh://[fe80::1",
        "ssh://fe80::1",
        "ssh://pi:secret@board",
        "ssh://board/etc",
        "ssh://board?python=-c",
        "ssh://board?python=/bin/sh -c",
        "ssh://board?port=22",
        "ssh://bo\u0430rd",
        "SSH://board",
        "http://board",
        "board",
        "",
        "local://board",
        "../ssh://board",
        "bundle://board",
    ],
)
def test_what_ssh_could_misunderstand_is_no_address(text):
    with pytest.raises(AddressInvalid, match="is no address of a device"), open_device(text):
        pass
