#!/usr/bin/env python3
"""check.py RUN [MLFLOW-URI]: compares what a run folder tells TensorBoard, and an MLflow server, with its metrics.jsonl.

Needs the packages `tensorboard` and, for the second, `mlflow`, in an environment that may be thrown away.
"""
import json
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

run = Path(sys.argv[1])
lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
expected = {}
for line in lines:
    for name, value in line.items():
        if name != "step" and value is not None:
            expected.setdefault(name, []).append((line["step"], value))


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
assert set(tags["scalars"]) == set(expected), set(tags["scalars"]) ^ set(expected)
for name, points in expected.items():
    found = [(event.step, event.value) for event in events.Scalars(name)]
    assert found == [(step, single(value)) for step, value in points], name
texts = [tag for tag in tags["tensors"] if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"]
for tag in texts:
    for event in events.Tensors(tag):
        assert event.tensor_proto.string_val[0].startswith(b"| "), tag
parameters = plugin_data_pb2.HParamsPluginData.FromString(
    events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content).session_start_info.hparams
options = json.loads((run / "config.json").read_text())["options"]
missing = {name for name, value in options.items() if value is not None} - set(parameters)
assert not missing, missing
for tag in tags["histograms"]:
    for event in events.Histograms(tag):
        histogram = event.histogram_value
        assert abs(sum(histogram.bucket) - histogram.num) < 1e-9, tag
print(f"TensorBoard: {sum(map(len, expected.values()))} points of {len(expected)} metrics, {len(texts)} texts, "
      f"{len(tags['histograms'])} histograms, {len(parameters)} hyper-parameters")

if len(sys.argv) > 2:
    from mlflow import MlflowClient

    client = MlflowClient(sys.argv[2])
    state = json.loads((run / "mlflow.json").read_text())
    there = client.get_run(state["run_id"])
    count = 0
    for name, points in expected.items():
        found = sorted((metric.step, metric.value) for metric in client.get_metric_history(state["run_id"], name))
        assert found == sorted(points), name
        count += len(found)
    print(f"MLflow: {count} points, {len(there.data.params)} options, {there.info.status}")
