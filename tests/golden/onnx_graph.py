"""An ONNX model put together node by node, and run by ONNX Runtime as it was put together: without its optimizer."""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
IR = 9


class OnnxGraph:
    """Values are named by texts; every method that adds one gives its name."""

    def __init__(self):
        self.nodes, self.constants, self.feeds = [], [], {}

    def input(self, values):
        name = f"input{len(self.feeds)}"
        self.feeds[name] = np.ascontiguousarray(values)
        return name

    def constant(self, values, dtype=np.float32):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def node(self, op, inputs, outputs=1, **attributes):
        """A node of `op`; attributes that are None are left out. With `outputs` above 1 a list of names."""
        names = [f"value{len(self.nodes)}_{i}" for i in range(outputs)]
        attributes = {key: value for key, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def run(self, *outputs):
        """The values of `outputs` as arrays."""
        types = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}
        inputs = [helper.make_tensor_value_info(name, types[v.dtype], v.shape) for name, v in self.feeds.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "golden", inputs, results, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        model = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
        onnx.checker.check_model(model)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(list(outputs), self.feeds)
