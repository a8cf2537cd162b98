"""Checks a graph by ONNX's own checker and computes it by onnxruntime.

run_onnx.py MODEL.onnx < [{"input": {"shape": [...], "values": [...]}, ...}, ...], whole numbers where the input takes them
prints, for each of these, {"output": {"shape": [...], "values": [...]}, ...}, and last the metadata.
"""
import json
import sys

import numpy as np
import onnx
import onnxruntime

onnx.checker.check_model(sys.argv[1], full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
types = {put.name: np.int64 if put.type == "tensor(int64)" else np.float32 for put in session.get_inputs()}
names = [put.name for put in session.get_outputs()]
told = []
for feed in json.load(sys.stdin):
    arrays = {name: np.array(put["values"], types[name]).reshape(put["shape"]) for name, put in feed.items()}
    results = zip(names, session.run(None, arrays))
    told.append({name: {"shape": list(result.shape), "values": result.ravel().tolist()} for name, result in results})
json.dump(told + [session.get_modelmeta().custom_metadata_map], sys.stdout)
