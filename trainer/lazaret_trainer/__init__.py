"""The bundled trainer of Lazaret: gradient work on the served ONNX graph itself, behind the contract `domain/contracts/trainer.ts`."""

__version__ = "0.1.0"
