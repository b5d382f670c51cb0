"""What a page of the documentation asks its reader to type, in order, and a folder to type it in."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<body>.*?)^```$|^(?P<indented>(?:    \S.*\n)+)", re.MULTILINE | re.DOTALL
)
INLINE = re.compile(r"`(gnomon [a-z][^`]*)`")


@dataclass(frozen=True)
class Snippet:
    """One command line, or one piece of Python, and the line of the page that it stands in."""

    page: str
    line: int
    text: str
    language: str = "command"
    shown: bool = False  # in a block, to be typed, and not in the prose

    def __str__(self):
        return f"{self.page}:{self.line}"

    @property
    def words(self):
        return self.words_of(self.text)

    @staticmethod
    def words_of(text):
        """Split a command as a shell does, without the program's name and a comment."""
        return shlex.split(text, comments=True)[1:]


def commands_of(body):
    """Yield (offset in lines, command) of a block; a prompt, if there is one, marks what is typed."""
    lines = body.splitlines()
    typed = [n for n, line in enumerate(lines) if re.match(r"\s*(\$ )?gnomon [a-z]", line)]
    for n in typed:
        command = lines[n]
        while command.endswith("\\"):
            n += 1
            command = command[:-1] + lines[n]
        yield n, command.strip().removeprefix("$ ")


def snippets_of(path):
    """Return everything typed on a page, in the order of its lines."""
    text, found = path.read_text(encoding="utf-8"), []
    for block in BLOCK.finditer(text):
        first = text[: block.start()].count("\n") + 1
        if block["language"] == "python":
            found.append(Snippet(path.name, first, block["body"], "python", shown=True))
        else:
            body = block["indented"] or block["body"]
            found += [Snippet(path.name, first + n, command, shown=True) for n, command in commands_of(body)]
    prose = BLOCK.sub(lambda block: "\n" * block[0].count("\n"), text)
    found += [
        Snippet(path.name, prose[: match.start()].count("\n") + 1, " ".join(match[1].split()))
        for match in INLINE.finditer(prose)
    ]
    return sorted(found, key=lambda snippet: snippet.line)


SNIPPETS = {path.name: snippets_of(path) for path in PAGES}
