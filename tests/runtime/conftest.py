"""One small network as a torch module, as ONNX with free height and width, and as OpenVINO IR."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def module():
    import torch

    torch.manual_seed(3)
    # Weights large enough that the output leaves [0, 1] at both ends: clipping is part of the promise.
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Tanh(), torch.nn.Conv2d(8, 3, 3, padding=1)
    )
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(2.5)
        net[2].bias.fill_(0.5)
    return net.eval()


@pytest.fixture(scope="session")
def files(module, tmp_path_factory) -> dict[str, Path]:
    import openvino as ov
    import torch

    folder = tmp_path_factory.mktemp("networks")
    free = {2: torch.export.Dim("height", min=4, max=4096), 3: torch.export.Dim("width", min=4, max=4096)}
    torch.onnx.export(
        module,
        (torch.rand(1, 3, 32, 40),),
        folder / "net.onnx",
        dynamo=True,
        verbose=False,
        input_names=["image"],
        output_names=["toon"],
        dynamic_shapes=(free,),
    )
    ov.save_model(ov.Core().read_model(folder / "net.onnx"), folder / "net.xml", compress_to_fp16=False)
    return {"onnx": folder / "net.onnx", "xml": folder / "net.xml"}
