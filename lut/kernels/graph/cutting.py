"""From the runtime's graph to kernels: each primitive's nodes are cut out, and their values get canonical names.

What cannot be timed alone is named and left out, never counted as nothing: control flow, operators whose work depends
on the data, and values whose shape nobody tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from ....profilers.runtimes.graphs.fused_graph import FusedGraph, Primitive
from .constants import KEPT, constants_of, inferred
from .cost import Cost, macs_of
from .joining import joined
from .kernel import Kernel, Tensor, printed_attributes, printed_content

DATA_DEPENDENT = ("NonZero", "NonMaxSuppression", "Unique", "Compress")
LOOKED_UP = ("Gather", "GatherElements", "GatherND")  # operators that read a part of their first input
BY_VALUE = ("Pow", "Resize", "Upsample")  # operators whose time depends on the values of constant numbers
EXPANDED = 1.9  # times the bytes of what a constant is made of, from which it counts as stored small
PRINTED = 64  # whole numbers of a constant that a key holds; of a longer one whether all are zero


@dataclass(frozen=True, slots=True)
class KernelCall:
    """A place in the graph where a kernel runs; `excluded` says why it has none, and is empty otherwise.

    `originals` are names of the asked model's nodes.
    """

    key: str
    operator: str
    originals: tuple[str, ...]
    excluded: str = ""


@dataclass(frozen=True)
class KernelGraph:
    """A model as the runtime runs it: calls in order of execution, kernels by key, and what the runtime adds.

    denormal: how many values hold denormal numbers, on synthetic inputs.
    """

    calls: tuple[KernelCall, ...]
    kernels: Mapping[str, Kernel]
    added: Mapping[str, int]
    denormal: int = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each kernel runs, by key."""
        return Counter(call.key for call in self.calls if not call.excluded)

    @property
    def excluded(self) -> Mapping[str, int]:
        """What has no kernel: how often, by operator and reason."""
        return Counter(f"{call.operator} ({call.excluded})" for call in self.calls if call.excluded)


def kernels_of(graph: FusedGraph, runtime: str) -> KernelGraph:
    """Cut a runtime's graph into kernels; `runtime` is its name and version."""
    return Cutter(graph, runtime).cut()


class Cutter:
    """The tables that cutting one graph takes."""

    def __init__(self, graph: FusedGraph, runtime: str) -> None:
        self.graph = graph
        self.model = onnx.load_from_string(graph.model)
        self.graph_of = runtime if graph.is_own else ""
        self.opsets = tuple((one.domain, one.version) for one in self.model.opset_import)
        self.nodes = list(self.model.graph.node)
        told = {name: Tensor(dtype, shape) for name, (dtype, shape) in graph.values.items()}
        self.values = told if graph.is_own else {**inferred(self.model), **told}
        self.constants = constants_of(self.model, self.values, told, fold=not graph.is_own)
        self.primitives = graph.primitives if graph.is_own else joined(graph.primitives, self.nodes, self.values)
        self.users: dict[str, set[int]] = {}
        for position, node in enumerate(self.nodes):
            for name in node.input:
                self.users.setdefault(name, set()).add(position)
        self.makers = {name: at for at, node in enumerate(self.nodes) for name in node.output if name}
        self.results = {one.name for one in self.model.graph.output}

    def cut(self) -> KernelGraph:
        """Return the kernels."""
        calls: list[KernelCall] = []
        kernels: dict[str, Kernel] = {}
        for primitive in self.primitives:
            nodes = [self.nodes[position] for position in primitive.nodes]
            if reason := self.reason_against(nodes):
                calls.append(KernelCall("", primitive.operator, primitive.originals, reason))
                continue
            kernel = self.kernel(primitive)
            kernels.setdefault(kernel.key, kernel)
            calls.append(KernelCall(kernel.key, kernel.operator, primitive.originals))
        return KernelGraph(tuple(calls), kernels, self.graph.added, len(self.graph.denormal))

    def reason_against(self, nodes: list[onnx.NodeProto]) -> str:
        """Say why nodes cannot be timed alone; nothing where they can."""
        for node in nodes:
            if any(one.HasField("g") or one.graphs for one in node.attribute):
                return "control flow"
            if node.op_type in DATA_DEPENDENT:
                return "its time depends on the data"
            used = [one for one in node.output if self.users.get(one) or one in self.results] or node.output[:1]
            for name in (*node.input, *used):
                if name and name not in self.values and name not in self.constants:
                    return "a value of unknown shape"
        return ""

    def kernel(self, primitive: Primitive) -> Kernel:
        """Return the kernel of a primitive."""
        members, naming = set(primitive.nodes), Naming(self)
        expanding = [] if self.graph_of else self.expanding(primitive)
        for position in expanding:
            naming.add(self.nodes[position], set())
        for position in primitive.nodes:
            node = self.nodes[position]
            used = [name for name in node.output if self.is_needed(name, members)]
            if not any(self.users.get(name) or name in self.results for name in node.output):
                used = [node.output[0]]  # nobody takes what it gives, and it runs all the same
            naming.add(node, set(used))
        operator = "+".join(dict.fromkeys(self.nodes[position].op_type for position in primitive.nodes))
        if not self.graph_of:
            operator = primitive.operator
        layout = primitive.layout if not self.graph_of else ""
        plain = () if self.graph_of else plain_of(primitive, naming)
        key = " ; ".join(naming.lines) + (f" @{layout}" if layout else "") + (f" <{','.join(plain)}>" if plain else "")
        return Kernel(
            key=key,
            operator=operator,
            nodes=tuple(naming.nodes),
            inputs=tuple(naming.inputs.values()),
            constants=tuple(naming.constants.values()),
            outputs=tuple(naming.outputs),
            opsets=self.opsets,
            ir_version=self.model.ir_version,
            layout=layout,
            graph_of=self.graph_of,
            cost=self.cost(primitive, naming, plain, [*expanding, *primitive.nodes]),
            plain=plain,
        )

    def expanding(self, primitive: Primitive) -> list[int]:
        """Return the nodes that make a primitive's large constants from smaller ones, such as of 8 bits.

        A runtime may keep those small and expand them as it computes, so they are in the kernel.
        """
        found: dict[int, None] = {}
        for name in (name for position in primitive.nodes for name in self.nodes[position].input):
            made = self.constants.get(name)
            if made is not None and name in self.makers and made.elements > KEPT:
                chain = self.chain(name)
                inner = {one for position in chain for one in self.nodes[position].output}
                stored = [
                    self.constants[one] for at in chain for one in self.nodes[at].input if one and one not in inner
                ]
                is_all_there = any(2 * one.elements >= made.elements for one in stored)
                if is_all_there and EXPANDED * sum(one.size_bytes for one in stored) <= made.size_bytes:
                    found |= dict.fromkeys(chain)
        return sorted(found)

    def chain(self, name: str) -> list[int]:
        """Return the nodes that make a constant of others."""
        position = self.makers.get(name)
        taken = [] if position is None else [one for one in self.nodes[position].input if one]
        if position is None or not taken or any(one not in self.constants for one in taken):
            return []
        return [*(at for one in taken for at in self.chain(one)), position]

    def is_needed(self, name: str, members: set[int]) -> bool:
        """Tell whether a value is used outside a primitive, or is the last that it gives."""
        return bool(name) and (name in self.results or bool(self.users.get(name, set()) - members))

    def cost(self, primitive: Primitive, naming: Naming, plain: tuple[str, ...], positions: Sequence[int]) -> Cost:
        """Return what a primitive computes and moves."""
        macs, groups, window, stride = 0.0, 1.0, 1.0, 1.0
        for node in (self.nodes[position] for position in primitive.nodes):
            shapes = [self.tensor(name).shape if name else () for name in node.input]
            results = [self.tensor(name).shape for name in node.output if name in self.values]
            macs += macs_of(node.op_type, shapes, results)
            for one in node.attribute:
                groups = max(groups, float(one.i)) if one.name == "group" else groups
                window = max(window, float(np.prod(one.ints))) if one.name == "kernel_shape" else window
                stride = max(stride, float(np.prod(one.ints))) if one.name == "strides" else stride
        named_outputs = naming.outputs or [("", Tensor("float32", (1,)))]
        given = [tensor for _, tensor in named_outputs]
        largest = max(given, key=lambda tensor: tensor.elements)
        shape = largest.shape if len(largest.shape) > 1 else (1, *largest.shape)
        elements = max(1.0, float(sum(tensor.elements for tensor in given)))
        return Cost(
            macs=macs,
            input_bytes=sum(one.size_bytes * (1 + (name in plain)) for name, one in naming.inputs.values()),
            output_bytes=sum(one.size_bytes * (1 + (name in plain)) for name, one in named_outputs),
            weight_bytes=sum(self.read_bytes(positions, name) for name in naming.constants),
            elements=elements,
            channels=float(shape[1] if len(shape) > 1 else 1),
            pixels=float(np.prod(shape[2:])) if len(shape) > 2 else 1.0,
            reduction=macs / elements,
            groups=groups,
            window=window,
            stride=stride,
            nodes=float(len(primitive.nodes)),
        )

    def read_bytes(self, positions: Sequence[int], name: str) -> float:
        """Return how many bytes of a constant some nodes read: of a table that they look up in, what they give."""
        read, readers = self.constants[name].size_bytes, self.readers(positions, name)
        if all(node.op_type in LOOKED_UP and node.input[0] == taken for node, taken in readers):
            given = [self.tensor(out).size_bytes for node, _ in readers for out in node.output if out in self.values]
            return min(read, sum(given))
        return read

    def readers(self, positions: Sequence[int], name: str) -> list[tuple[onnx.NodeProto, str]]:
        """Return the nodes of some that take a constant, or what others of them make of it, and as what."""
        found = []
        for node in (self.nodes[position] for position in positions if name in self.nodes[position].input):
            made = [one for one in node.output if one in self.constants]
            found += [two for one in made for two in self.readers(positions, one)] if made else [(node, name)]
        return found

    def tensor(self, name: str) -> Tensor:
        """Return what a value is."""
        return self.constants[name] if name in self.constants else self.values[name]


def plain_of(primitive: Primitive, naming: Naming) -> tuple[str, ...]:
    """Return the values of a primitive, by canonical name, that the runtime turns beside it."""
    inputs = [name for name, _ in naming.inputs.values()]
    found = [inputs[at] for at in primitive.turns if 0 <= at < len(inputs)]
    return tuple(found + ([name for name, _ in naming.outputs] if -1 in primitive.turns else []))


class Naming:
    """Canonical names of the values of one primitive, and the lines of its key."""

    def __init__(self, cutter: Cutter) -> None:
        self.cutter = cutter
        self.names: dict[str, str] = {}
        self.inputs: dict[str, tuple[str, Tensor]] = {}
        self.constants: dict[str, tuple[str, Tensor]] = {}
        self.outputs: list[tuple[str, Tensor]] = []
        self.nodes: list[onnx.NodeProto] = []
        self.lines: list[str] = []

    def add(self, node: onnx.NodeProto, needed: set[str]) -> None:
        """Add a node; `needed` are its outputs that somebody outside uses."""
        said = [self.said(name, node.op_type) for name in node.input]
        fresh = onnx.NodeProto()
        fresh.CopyFrom(node)
        del fresh.input[:], fresh.output[:]
        fresh.doc_string = ""
        fresh.input.extend(self.names.get(name, "") for name in node.input)
        given = []
        for name in node.output:
            known = bool(name) and (name in needed or bool(self.cutter.users.get(name)))
            self.names[name] = f"y{len(self.names)}" if known else ""
            fresh.output.append(self.names[name])
            tensor = self.cutter.values.get(name)
            if name in needed and tensor is not None:
                self.outputs.append((self.names[name], tensor))
            given.append(f"{'=' if name in needed else ''}{tensor or '?'}" if known else "_")
        domain = f"{node.domain}:" if node.domain not in ("", "ai.onnx") else ""
        self.nodes.append(fresh)
        self.lines.append(f"{domain}{node.op_type}{printed_attributes(node)}({', '.join(said)})->{','.join(given)}")

    def said(self, name: str, operator: str) -> str:
        """Return how the key calls an input of a node, which gets its name here if it has none."""
        if not name:
            return "_"
        if name in self.names:
            return self.names[name]
        constant = self.cutter.constants.get(name)
        if constant is None:
            tensor = self.cutter.values[name]
            self.names[name] = f"x{len(self.names)}"
            self.inputs[name] = (self.names[name], tensor)
            return f"{self.names[name]}:{tensor}"
        self.names[name] = f"w{len(self.names)}"
        self.constants[name] = (self.names[name], constant)
        return f"{self.names[name]}:{constant}{said_content(constant.content, operator)}"


def said_content(content: np.ndarray[Any, Any] | None, operator: str) -> str:
    """Return what a key says of the values of a constant that an operator takes; nothing of those that decide nothing.

    Of many whole numbers it says whether all are zero: for such zero points runtimes take other, quicker code.
    """
    if content is None or (np.issubdtype(content.dtype, np.floating) and operator not in BY_VALUE):
        return ""
    if content.size > PRINTED:
        return "" if content.any() else "=(0)"
    return f"={printed_content(content)}"
