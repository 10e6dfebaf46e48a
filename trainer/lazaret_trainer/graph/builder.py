"""From a model's nodes to a program: finds every operator's implementation, or refuses, before anything is computed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto

from .attributes import attribute_value, tensor_values
from .expansion import FUNCTIONS, expand
from .frozen import frozen_names
from .limits import DEEPEST_NESTING, LARGEST_GRAPH_NODES
from .program import InvalidModel, Program, Step
from .registry import OPERATORS, Array, Call, UnsupportedOperator

DEFAULT_DOMAINS = ("", "ai.onnx")

Arguments = Mapping[str, AttributeProto]
"""Attributes at the call of a function, which attributes within refer to by name."""


class Builder:
    """Builds the programs of one model. The nodes of all of them count against one bound."""

    def __init__(self, model: ModelProto, opset: int):
        self._opset = opset
        self._functions = _local_functions(model)
        self._nodes_left = LARGEST_GRAPH_NODES
        self._expanded: dict[tuple[bytes, ...], Program] = {}

    def graph(self, graph: GraphProto) -> Program:
        """The main graph. Its initializers are left to the caller, who tells weights from constants."""
        initializers = {tensor.name for tensor in graph.initializer}
        inputs = [value.name for value in graph.input if value.name not in initializers]
        known = {*initializers, *inputs}
        steps = self._steps(graph.node, known, self._opset, {}, (), 0)
        return _program(inputs, [value.name for value in graph.output], {}, steps, known)

    def _subgraph(
        self, graph: GraphProto, around: set[str], opset: int, arguments: Arguments, calls: tuple[Any, ...], depth: int
    ) -> Program:
        if graph.sparse_initializer:
            raise InvalidModel("a subgraph has sparse initializers")
        constants = {tensor.name: tensor_values(tensor) for tensor in graph.initializer}
        inputs = [value.name for value in graph.input]
        known = {*around, *constants, *inputs}
        steps = self._steps(graph.node, known, opset, arguments, calls, depth)
        return _program(inputs, [value.name for value in graph.output], constants, steps, known)

    def _function(
        self, function: FunctionProto, opset: int, arguments: Arguments, calls: tuple[Any, ...], depth: int, optional: Iterable[str] = ()
    ) -> Program:
        known = {*function.input}
        steps = self._steps(function.node, known, opset, arguments, calls, depth)
        known.update(optional)
        return _program(list(function.input), list(function.output), {}, steps, known)

    def _steps(
        self, nodes: Iterable[NodeProto], known: set[str], opset: int, arguments: Arguments, calls: tuple[Any, ...], depth: int
    ) -> list[Step]:
        """Steps in the nodes' order, which ONNX says is a topological one: a cycle is a node that reads what is not made yet."""
        if depth > DEEPEST_NESTING:
            raise InvalidModel(f"subgraphs or functions are nested more than {DEEPEST_NESTING} deep")
        steps = []
        for node in nodes:
            self._nodes_left -= 1
            if self._nodes_left < 0:
                raise InvalidModel(f"the graph has more than {LARGEST_GRAPH_NODES} nodes, its functions expanded")
            label = node.name or node.op_type
            missing = [name for name in node.input if name and name not in known]
            if missing:
                raise InvalidModel(f"node {label!r} reads {missing[0]!r} before it is made")
            steps.append(self._step(node, known, opset, arguments, calls, depth))
            fresh = [name for name in node.output if name]
            if known.intersection(fresh) or len(set(fresh)) < len(fresh):
                raise InvalidModel(f"node {label!r} makes a value of a name that is taken")
            known.update(fresh)
        return steps

    def _step(self, node: NodeProto, known: set[str], opset: int, arguments: Arguments, calls: tuple[Any, ...], depth: int) -> Step:
        protos = _resolved(node, arguments)
        local = self._functions.get((node.domain, node.op_type, node.overload))
        if local is not None:
            return self._local_call(node, protos, local, opset, calls, depth)
        if node.domain not in DEFAULT_DOMAINS or (node.op_type not in OPERATORS and node.op_type not in FUNCTIONS):
            raise UnsupportedOperator(node, "this trainer has no differentiable form of it")
        attributes = {
            attribute.name: self._subgraph(attribute.g, known, opset, arguments, calls, depth + 1)
            if attribute.type == AttributeProto.GRAPH
            else attribute_value(attribute)
            for attribute in protos
        }
        call = Call(node, attributes, opset)
        if node.op_type in OPERATORS:
            nested = any(isinstance(value, Program) for value in attributes.values())
            return Step(call, OPERATORS[node.op_type], nested)
        resolved = _with_attributes(node, protos)
        return Step(call, _never, False, body_for=lambda operands: self._standard(call, resolved, operands, calls, depth))

    def _local_call(
        self, node: NodeProto, protos: Sequence[AttributeProto], function: FunctionProto, opset: int, calls: tuple[Any, ...], depth: int
    ) -> Step:
        """Attributes of the call, and the function's defaults for those that are not given."""
        name = (function.domain, function.name, function.overload)
        if name in calls:
            raise InvalidModel(f"the function {function.name!r} calls itself")
        arguments = {attribute.name: attribute for attribute in (*function.attribute_proto, *protos)}
        own = next((each.version for each in function.opset_import if each.domain in DEFAULT_DOMAINS), opset)
        body = self._function(function, own, arguments, (*calls, name), depth + 1)
        return Step(Call(node, {}, opset), _never, False, body=body)

    def _standard(self, call: Call, node: NodeProto, operands: Sequence[Array], calls: tuple[Any, ...], depth: int) -> Program:
        """The body that the standard gives for an operator, made for the types of these operands and kept for the next call."""
        function, key = expand(call, node, operands)
        if key not in self._expanded:
            # A body leaves out what the node does not ask for. The trace bounds these nodes; a model that is run with many shapes
            # MUST NOT use up what bounds its own.
            left, self._nodes_left = self._nodes_left, LARGEST_GRAPH_NODES
            arguments = {attribute.name: attribute for attribute in (*function.attribute_proto, *node.attribute)}
            opset = next((each.version for each in function.opset_import if each.domain in DEFAULT_DOMAINS), call.opset)
            self._expanded[key] = self._function(function, opset, arguments, calls, depth + 1, optional=function.output)
            self._nodes_left = left
        return self._expanded[key]


def _never(*_: Any) -> None:
    raise AssertionError("a call of a function runs the function's body")


def _local_functions(model: ModelProto) -> dict[tuple[str, str, str], FunctionProto]:
    functions = {}
    for function in model.functions:
        name = (function.domain, function.name, function.overload)
        # MUST be refused: whoever reads `Relu` in this graph would believe that it is one.
        if function.domain in DEFAULT_DOMAINS:
            raise InvalidModel(f"the model redefines the standard's operator {function.name!r}")
        if name in functions:
            raise InvalidModel(f"two functions have the name {function.name!r}")
        functions[name] = function
    return functions


def _resolved(node: NodeProto, arguments: Arguments) -> list[AttributeProto]:
    """The node's attributes, references replaced by what the caller gave; a reference to nothing is an attribute that is not there."""
    resolved = []
    for attribute in node.attribute:
        if attribute.ref_attr_name:
            given = arguments.get(attribute.ref_attr_name)
            if given is None:
                continue
            renamed = AttributeProto()
            renamed.CopyFrom(given)
            renamed.name = attribute.name
            resolved.append(renamed)
        else:
            resolved.append(attribute)
    return resolved


def _with_attributes(node: NodeProto, attributes: Sequence[AttributeProto]) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    del copy.attribute[:]
    copy.attribute.extend(attributes)
    return copy


def _program(inputs: list[str], outputs: list[str], constants: Mapping[str, np.ndarray], steps: list[Step], known: set[str]) -> Program:
    for name in outputs:
        if name not in known:
            raise InvalidModel(f"the output {name!r} is made by no node")
    return Program(inputs, outputs, constants, steps, frozenset().union(*(frozen_names(step) for step in steps)))
