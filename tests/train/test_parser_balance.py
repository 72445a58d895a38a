"""Balancing a parser's labels: each is given as often as it is true, and what hardly occurs stays."""

import numpy as np
import torch

from wbme.nets.parser import ParserNet
from wbme.train.parser_balance import balance


class Told(torch.nn.Module):
    """Logits that say background, skin and nose by the three colours, skin by far too often."""

    def __init__(self):
        super().__init__()
        self.out = torch.nn.Conv2d(3, 20, 1)
        with torch.no_grad():
            self.out.weight.zero_()
            for label, channel in ((0, 0), (1, 1), (10, 2)):
                self.out.weight[label, channel] = 1.0
            self.out.bias.fill_(-9.0)
            self.out.bias[[0, 1, 10]] = torch.tensor([0.0, 0.5, 0.0])

    def forward(self, x):
        return self.out(torch.nn.functional.avg_pool2d(x, 2))


def examples():
    rng = np.random.default_rng(0)
    for _ in range(3):
        labels = rng.choice(np.uint8([0, 1, 10]), (40, 40), p=(0.5, 0.2, 0.3)).repeat(2, 0).repeat(2, 1)
        rgb = np.stack([labels == 0, labels == 1, labels == 10], 2).astype(np.float32)
        noise = rng.normal(0, 0.5, (40, 40, 3)).repeat(2, 0).repeat(2, 1)
        yield (rgb + noise).astype(np.float32), labels


def test_each_label_is_given_as_often_as_it_is_true():
    net, shown = Told(), list(examples())
    before = net.out.bias.detach().clone()

    def shares():
        found = [net(torch.from_numpy(rgb.transpose(2, 0, 1))[None])[0].argmax(0).numpy() for rgb, _ in shown]
        true = np.concatenate([labels[::2, ::2].ravel() for _, labels in shown])
        given = np.concatenate([one.ravel() for one in found])
        return np.array([[np.mean(given == k), np.mean(true == k)] for k in (0, 1, 10)])

    assert shares()[1, 0] > 1.3 * shares()[1, 1]
    balance(net, shown)
    assert np.abs(shares()[:, 0] - shares()[:, 1]).max() < 0.01
    moved = (net.out.bias - before).detach()
    assert moved[0] == 0 and moved[1] < -0.2
    assert moved[5] == moved[6]  # labels that no example has stay beside each other


def test_pixels_that_nobody_knows_do_not_count():
    torch.manual_seed(0)
    net = ParserNet().eval()
    before = net.out.bias.detach().clone()
    rgb = np.random.default_rng(0).random((64, 64, 3), np.float32)
    balance(net, [(rgb, np.full((64, 64), 255, np.uint8))])
    assert torch.equal(net.out.bias, before)
