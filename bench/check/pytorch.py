"""The nets of Basin's hardware check in PyTorch on the same card: training images/s, a line of JSON each.

Usage: python3 pytorch.py SECONDS [BATCH]. Three ways, the cheap ones first: as a script has it without any setting (eager, float32,
convolutions in TF32), channels_last with bfloat16 autocast, and that compiled with CUDA graphs. SGD with momentum and weight decay; every
tenth step swa_utils averages, as Basin's does. Batches lie ready on the card: Basin draws, crops and flips its own within its time.
Exit codes: 0 all three ways of all nets were measured, 1 something failed, 3 there is nothing to measure on.
"""
import json
import sys
import time

START = time.time()
ABSENT = 3
AVERAGE_EVERY = 10
BLOCKS = 5
SECONDS = 1.0
# A compilation that is begun with less than this left would not end.
COMPILATION = 30

try:
    import torch
    from torch import nn
    import torch.nn.functional as F
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
except ImportError as e:
    print(f"python3 has no PyTorch from 2.1 on: {e}")
    sys.exit(ABSENT)


def conv(i, o, k=3, stride=1, bias=False):
    return nn.Conv2d(i, o, k, stride, k // 2, bias=bias)


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def small_cnn():
    layers, i = [], 1
    for width in (32, 64):
        for _ in range(2):
            layers += [conv(i, width), nn.BatchNorm2d(width), nn.ReLU()]
            i = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 49, 128), nn.ReLU(), nn.Linear(128, 10))


def vgg16_bn():
    layers, i = [], 3
    for stage in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3):
        for width in stage:
            layers += [conv(i, width, bias=True), nn.BatchNorm2d(width), nn.ReLU()]
            i = width
        layers.append(nn.MaxPool2d(2))
    head = [nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Dropout(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


class Block(nn.Module):
    """Pre-activation; where the width changes, the shortcut reads the block's input, or in wide nets the activated one."""

    def __init__(self, i, o, stride, wide):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(i), conv(i, o, stride=stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(o), conv(o, o)
        self.shortcut = None if stride == 1 and i == o else conv(i, o, 1, stride)
        self.wide = wide

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        if self.shortcut is not None:
            x = self.shortcut(a if self.wide else x)
        return x + y


def residual(blocks, widen, wide):
    layers, i = [conv(3, 16)], 16
    for stage in range(3):
        for block in range(blocks):
            o = (16 << stage) * widen
            layers.append(Block(i, o, 2 if stage and not block else 1, wide))
            i = o
    return nn.Sequential(*layers, nn.BatchNorm2d(i), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(i, 10))


NETS = {
    "mlp": mlp,
    "small-cnn": small_cnn,
    "preresnet20": lambda: residual(3, 1, False),
    "vgg16-bn": vgg16_bn,
    "wrn-28-10": lambda: residual(4, 10, True),
}
WAYS = ("eager", "bf16", "bf16-compiled")


class Run:
    def __init__(self, net, way, batch, device):
        grey = net in ("mlp", "small-cnn")
        torch.manual_seed(1)
        self.half = way != "eager"
        self.device = device
        layout = torch.channels_last if self.half else torch.contiguous_format
        shape = (batch, 1, 28, 28) if grey else (batch, 3, 32, 32)
        self.x = torch.randn(shape, device=device).contiguous(memory_format=layout)
        self.y = torch.randint(10, (batch,), device=device)
        self.model = NETS[net]().to(device).to(memory_format=layout)
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
        self.run = torch.compile(self.model, mode="reduce-overhead") if way == "bf16-compiled" else self.model
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1e-3, momentum=0.9, weight_decay=5e-4, fused=self.half or None)
        self.batch = batch
        self.done = 0

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.half):
            loss = F.cross_entropy(self.run(self.x), self.y)
        loss.backward()
        self.optimizer.step()
        self.done += 1
        if self.done % AVERAGE_EVERY == 0:
            self.average.update_parameters(self.model)
        return loss

    def timed(self, steps):
        wait(self.device)
        start = time.time()
        for _ in range(steps):
            loss = self.step()
        wait(self.device)
        if not torch.isfinite(loss):
            raise ArithmeticError("the loss is not finite")
        return time.time() - start

    def rates(self):
        self.timed(AVERAGE_EVERY + 2)
        one = self.timed(AVERAGE_EVERY) / AVERAGE_EVERY
        steps = max(1, int(SECONDS / BLOCKS / one))
        return sorted(self.batch * steps / self.timed(steps) for _ in range(BLOCKS))


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def main(limit, batch, device):
    torch.backends.cudnn.benchmark = True
    about = f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name() if device == 'cuda' else device}"
    complete = True
    for way in WAYS:
        for net in NETS:
            left = limit - (time.time() - START)
            if left < (COMPILATION if way == "bf16-compiled" else 5):
                print(f"{net}, {way}: not measured, only {left:.0f} s were left", flush=True)
                complete = False
                continue
            try:
                rates = Run(net, way, batch, device).rates()
            except Exception as e:  # one net that fails leaves the others to be measured
                print(f"{net}, {way}: {type(e).__name__}: {e}", flush=True)
                complete = False
                continue
            row = {"net": net, "way": way, "images_per_s": rates[BLOCKS // 2], "least": rates[0], "most": rates[-1]}
            print(json.dumps({**row, "batch": batch, "device": about}), flush=True)
    return 0 if complete else 1


if __name__ == "__main__":
    if not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} finds no CUDA device here")
        sys.exit(ABSENT)
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 128, "cuda"))
