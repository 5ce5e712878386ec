"""Writes event files: ``tensorboard.py FOLDER [more]``, and prints what it logged as JSON."""

import json
import math
import sys
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.proto.tensor_pb2 import TensorProto
from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

START = 1_700_000_000
LOSS = [(0, 0.1), (1, math.nan), (2, math.inf), (1, -math.inf), (2**40, 2.5), (5, 1e-40)]


def tensor_value(tag, plugin, tensor, content=b""):
    data = SummaryMetadata.PluginData(plugin_name=plugin, content=content)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=data), tensor=tensor)
    return Event(step=3, wall_time=START + 3, summary=Summary(value=[value]))


def shape(*sizes):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def second_generation(writer):
    """Write values as TensorFlow 2 does: tensors that say which plugin is to show them."""
    content = np.array(0.1).tobytes()
    half = [int(np.array(0.5, np.float16).view(np.uint16))]
    for tag, tensor in {
        "v2/double": TensorProto(dtype="DT_DOUBLE", tensor_content=content),
        "v2/float": TensorProto(dtype="DT_FLOAT", float_val=[0.5]),
        "v2/half": TensorProto(dtype="DT_HALF", half_val=half),
        "v2/bfloat": TensorProto(dtype="DT_BFLOAT16", half_val=[0x3FC0]),
        "v2/int": TensorProto(dtype="DT_INT64", int64_val=[-(2**62)]),
    }.items():
        writer.add_event(tensor_value(tag, "scalars", tensor))
    pieces = [b"2", b"1", b"\x89PNG one", b"\x89PNG two"]
    images = TensorProto(dtype="DT_STRING", string_val=pieces, tensor_shape=shape(4))
    writer.add_event(tensor_value("v2/image", "images", images))
    sounds = [b"RIFF sound", b"label"]
    audio = TensorProto(dtype="DT_STRING", string_val=sounds, tensor_shape=shape(1, 2))
    writer.add_event(tensor_value("v2/audio", "audio", audio))
    buckets = np.array([[0.0, 1.0, 3.0], [1.0, 2.0, 4.0]])
    histogram = TensorProto(
        dtype="DT_DOUBLE", tensor_content=buckets.tobytes(), tensor_shape=shape(2, 3)
    )
    writer.add_event(tensor_value("v2/histogram", "histograms", histogram))
    curve = TensorProto(dtype="DT_FLOAT", float_val=[1.0], tensor_shape=shape(1))
    writer.add_event(tensor_value("curve", "pr_curves", curve))


def main(folder):
    root = Path(folder)
    with SummaryWriter(str(root / "grid" / "Ünder 🚀")) as writer:
        for number, (step, value) in enumerate(LOSS):
            writer.add_scalar("loss/train", value, step, walltime=START + number)
        writer.add_text("note", "only\none 🚀", 0, walltime=START)
        for step in range(2):
            writer.add_text("several", f"text {step}", step, walltime=START)
        writer.add_histogram("weights", np.arange(10), 1, bins=2, walltime=START)
        writer.add_image("picture", np.zeros((3, 4, 4), np.uint8), 7, walltime=START)
        writer.add_hparams({"lr": 0.1, "name": "adam", "fast": True}, {"hp/acc": 0.5}, name="hp")
        second_generation(writer.file_writer.event_writer)
    with SummaryWriter(str(root / "other")) as writer:
        for step in range(1000):
            writer.add_scalar("loss", step / 8, step, walltime=START + step)
    return {"loss": [(step, float(np.float32(value))) for step, value in LOSS]}


def more(folder):
    with SummaryWriter(str(Path(folder) / "other"), filename_suffix=".later") as writer:
        for step in range(1000, 1500):
            writer.add_scalar("loss", step / 8, step, walltime=START + step)
    return {}


if __name__ == "__main__":
    print(json.dumps(more(sys.argv[1]) if len(sys.argv) > 2 else main(sys.argv[1])))
