"""Asks a gateway as Triton's own client does, over HTTP and gRPC, in every combination of JSON and binary: `ask_as_triton.py HTTP GRPC`.

The model `every` gives back what it was sent, in every datatype. Prints one line of JSON: what came back otherwise than it was sent.
"""

import itertools
import json
import sys

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.http as http

HALVES = {"half"}
SENT = {
    "bool": np.array([[True, False], [False, True]]),
    "u8": np.array([[0, 255], [1, 2]], np.uint8),
    "u16": np.array([[0, 65535], [1, 2]], np.uint16),
    "u32": np.array([[0, 2**32 - 1], [1, 2]], np.uint32),
    "u64": np.array([[0, 2**53 - 1], [1, 2]], np.uint64),
    "i8": np.array([[-128, 127], [1, 2]], np.int8),
    "i16": np.array([[-(2**15), 2**15 - 1], [1, 2]], np.int16),
    "i32": np.array([[-(2**31), 2**31 - 1], [1, 2]], np.int32),
    "i64": np.array([[-(2**53) + 1, 2**53 - 1], [1, 2]], np.int64),
    "half": np.array([[0.5, -65504], [1, 2]], np.float16),
    "single": np.array([[0.1, -3.4e38], [1, 2]], np.float32),
    "double": np.array([[0.1, -1.7e308], [1, 2]], np.float64),
    "text": np.array([["", "ein wörtchen"], ["a", "b\n"]], object),
}
TYPES = dict(bool="BOOL", u8="UINT8", u16="UINT16", u32="UINT32", u64="UINT64", i8="INT8", i16="INT16", i32="INT32", i64="INT64",
             half="FP16", single="FP32", double="FP64", text="BYTES")  # fmt: skip


def texts(array):
    return np.array([[one.decode() if isinstance(one, bytes) else one for one in row] for row in array], object)


def differing(result, names):
    wrong = []
    for name in names:
        got, sent = result.as_numpy(f"{name}.out"), SENT[name]
        if name == "text":
            got, sent = texts(got), texts(sent)
        if got is None or got.shape != sent.shape or not np.array_equal(got, sent):
            wrong.append(name)
    return wrong


def over_http(client, binary_in, binary_out, **compression):
    inputs, outputs = [], []
    for name, array in SENT.items():
        # The client itself refuses to send FP16 as JSON.
        tensor = http.InferInput(name, list(array.shape), TYPES[name])
        tensor.set_data_from_numpy(array, binary_data=binary_in or name in HALVES)
        inputs.append(tensor)
        outputs.append(http.InferRequestedOutput(f"{name}.out", binary_data=binary_out or name in HALVES))
    return differing(client.infer("every", inputs, outputs=outputs, request_id="7", **compression), SENT)


def over_grpc(client):
    inputs = []
    for name, array in SENT.items():
        tensor = grpc.InferInput(name, list(array.shape), TYPES[name])
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    result = client.infer("every", inputs, request_id="8", headers={"x-client-id": "triton"})
    assert result.get_response().id == "8"
    return differing(result, SENT)


def refused(ask):
    try:
        ask()
    except Exception as error:
        return str(error)
    return None


def main() -> None:
    at_http, at_grpc = sys.argv[1:3]
    by_http, by_grpc = http.InferenceServerClient(at_http), grpc.InferenceServerClient(at_grpc)
    found = {}
    for binary_in, binary_out in itertools.product((False, True), repeat=2):
        found[f"http {binary_in} {binary_out}"] = over_http(by_http, binary_in, binary_out)
    found["gzip"] = over_http(by_http, True, True, request_compression_algorithm="gzip", response_compression_algorithm="gzip")
    found["deflate"] = over_http(by_http, False, False, request_compression_algorithm="deflate")
    found["grpc"] = over_grpc(by_grpc)
    for name, client in (("http", by_http), ("grpc", by_grpc)):
        found[f"{name} ready"] = [client.is_server_live(), client.is_server_ready(), client.is_model_ready("every"), client.is_model_ready("other")]
    found["names"] = [by_http.get_model_metadata("every")["name"], by_grpc.get_model_metadata("every").name]
    found["index"] = [one["name"] for one in by_http.get_model_repository_index()]
    found["grpc index"] = [one.name for one in by_grpc.get_model_repository_index().models]
    found["loads"] = refused(lambda: by_http.load_model("every", config="{}", files={"file:1/model.onnx": b"x"}))
    bad = grpc.InferInput("single", [1, 2], "FP32")
    bad.set_data_from_numpy(np.zeros((1, 2), np.float32))
    found["lacking"] = refused(lambda: by_grpc.infer("every", [bad]))
    found["isolated"] = refused(lambda: by_grpc.infer("other", [bad]))
    print(json.dumps(found))


main()
