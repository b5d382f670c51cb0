"""The elastic ViT against torch.nn.MultiheadAttention, in the names that torchvision and Hugging Face publish."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import CheckpointMismatch, load_space
from gnomon.supernets.checkpoints import load_checkpoint
from gnomon.supernets.checkpoints.formats.vit_b16 import PUBLISHED
from gnomon.supernets.checkpoints.testing import formula_images, formula_weights
from gnomon.supernets.data.folders import IMAGENET as PREPROCESSING
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.spaces.vit_b16 import VisionTransformer
from gnomon.supernets.testing import SpaceContract

SMALL = VisionTransformer(
    resolution=32, patch=8, width=24, head_dim=4, depths=(2, 3), heads=(2, 4, 6), hidden=(8, 20, 32), classes=10
)
SPACE = SMALL.space("vit_small", "imagenet")
TORCHVISION_LAYER = {
    "ln_1.weight": (24,),
    "ln_1.bias": (24,),
    "self_attention.in_proj_weight": (72, 24),
    "self_attention.in_proj_bias": (72,),
    "self_attention.out_proj.weight": (24, 24),
    "self_attention.out_proj.bias": (24,),
    "ln_2.weight": (24,),
    "ln_2.bias": (24,),
    "mlp.0.weight": (32, 24),
    "mlp.0.bias": (32,),
    "mlp.3.weight": (24, 32),
    "mlp.3.bias": (24,),
}
TORCHVISION = formula_weights(
    {
        "class_token": (1, 1, 24),
        "conv_proj.weight": (24, 3, 8, 8),
        "conv_proj.bias": (24,),
        "encoder.pos_embedding": (1, 17, 24),
        **{f"encoder.layers.encoder_layer_{n}.{k}": v for n in range(3) for k, v in TORCHVISION_LAYER.items()},
        "encoder.ln.weight": (24,),
        "encoder.ln.bias": (24,),
        "heads.head.weight": (10, 24),
        "heads.head.bias": (10,),
    }
)
HUGGING_FACE_LAYER = {
    "ln_1": "layernorm_before",
    "self_attention.out_proj": "attention.output.dense",
    "ln_2": "layernorm_after",
    "mlp.0": "intermediate.dense",
    "mlp.3": "output.dense",
}
HUGGING_FACE_OUTSIDE = {
    "class_token": "vit.embeddings.cls_token",
    "conv_proj": "vit.embeddings.patch_embeddings.projection",
    "encoder.pos_embedding": "vit.embeddings.position_embeddings",
    "encoder.ln": "vit.layernorm",
    "heads.head": "classifier",
}


def hugging_face(tensors):
    """The same network as Hugging Face stores it."""
    named = {}
    for name, tensor in tensors.items():
        if name.startswith("encoder.layers"):
            number, _, rest = name.removeprefix("encoder.layers.encoder_layer_").partition(".")
            at = f"vit.encoder.layer.{number}"
            if "in_proj_" in rest:
                leaf = rest.rpartition("_")[2]
                for part, piece in zip(("query", "key", "value"), tensor.split(24)):
                    named[f"{at}.attention.attention.{part}.{leaf}"] = piece
            else:
                module, _, leaf = rest.rpartition(".")
                named[f"{at}.{HUGGING_FACE_LAYER[module]}.{leaf}"] = tensor
        elif name in HUGGING_FACE_OUTSIDE:
            named[HUGGING_FACE_OUTSIDE[name]] = tensor
        else:
            module, _, leaf = name.rpartition(".")
            named[f"{HUGGING_FACE_OUTSIDE[module]}.{leaf}"] = tensor
    return named


def plain(images, values, tensors):
    """A vision transformer of torch's own attention, its weights cut to the values' heads, hidden units and depth."""
    x = F.conv2d(images, tensors["conv_proj.weight"], tensors["conv_proj.bias"], stride=8)
    x = torch.cat([tensors["class_token"].expand(len(x), 1, 24), x.reshape(len(x), 24, 16).permute(0, 2, 1)], 1)
    x = x + tensors["encoder.pos_embedding"]
    for number in range(1, values["depth"] + 1):
        at = f"encoder.layers.encoder_layer_{number - 1}"
        layer = {name.removeprefix(f"{at}."): tensor for name, tensor in tensors.items() if name.startswith(f"{at}.")}
        heads, hidden = values[f"heads.{number}"], values[f"ffn.{number}"]
        y = F.layer_norm(x, (24,), layer["ln_1.weight"], layer["ln_1.bias"], 1e-6)
        x = x + attention(y, layer, heads)
        y = F.layer_norm(x, (24,), layer["ln_2.weight"], layer["ln_2.bias"], 1e-6)
        y = F.gelu(y @ layer["mlp.0.weight"][:hidden].T + layer["mlp.0.bias"][:hidden])
        x = x + y @ layer["mlp.3.weight"][:, :hidden].T + layer["mlp.3.bias"]
    x = F.layer_norm(x, (24,), tensors["encoder.ln.weight"], tensors["encoder.ln.bias"], 1e-6)
    return x[:, 0] @ tensors["heads.head.weight"].T + tensors["heads.head.bias"]


def attention(x, layer, heads):
    """torch's attention; heads that are cut off are there with values of zero, so they add nothing."""
    whole = nn.MultiheadAttention(24, 6, batch_first=True).requires_grad_(False)
    whole.in_proj_weight.copy_(layer["self_attention.in_proj_weight"])
    whole.in_proj_bias.copy_(layer["self_attention.in_proj_bias"])
    whole.in_proj_weight[48 + 4 * heads :] = 0
    whole.in_proj_bias[48 + 4 * heads :] = 0
    whole.out_proj.weight.copy_(layer["self_attention.out_proj.weight"])
    whole.out_proj.bias.copy_(layer["self_attention.out_proj.bias"])
    return whole(x, x, x, need_weights=False)[0]


class TestSmallVit(SpaceContract):
    @pytest.fixture
    def space(self):
        return SPACE


@pytest.fixture(scope="module")
def network():
    network = ElasticNetwork(SPACE).requires_grad_(False)
    network.load_state_dict(PUBLISHED.translated(TORCHVISION))
    return network


genes = st.tuples(*(st.integers(0, int(radix) - 1) for radix in SPACE.radices))


@settings(max_examples=25, deadline=None)
@given(genes)
def test_subnetworks_are_those_of_torchs_attention(network, row):
    architecture = SPACE.architecture(row)
    images = formula_images(2, SPACE.input_shape)
    expected = plain(images, SPACE.values(architecture), TORCHVISION)
    found = network(images, architecture)
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_hugging_faces_network_is_the_same_on_its_own_scaling(network):
    ours = ElasticNetwork(SPACE).requires_grad_(False)
    ours.load_state_dict(PUBLISHED.translated(hugging_face(TORCHVISION) | {"vit.pooler.dense.bias": torch.ones(24)}))
    pixels = formula_images(3, SPACE.input_shape) / 4 + 0.5  # 0..1
    mean, deviation = (torch.tensor(value)[:, None, None] for value in (PREPROCESSING.mean, PREPROCESSING.deviation))
    largest = SPACE.architecture(SPACE.radices - 1)
    expected = network((pixels - 0.5) / 0.5, largest)
    found = ours((pixels - mean) / deviation, largest)
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.mark.parametrize("spelling", [lambda t: t, hugging_face], ids=["torchvision", "hugging_face"])
def test_every_tensor_has_one_place(network, spelling):
    tensors = spelling(TORCHVISION)
    assert PUBLISHED.translated(tensors).keys() == network.state_dict().keys()
    for name in tensors:
        missing = {other: tensor for other, tensor in tensors.items() if other != name}
        assert PUBLISHED.translated(missing).keys() < network.state_dict().keys()


def test_older_torchvision_names_are_the_same_places():
    for old, new in (("mlp.linear_1", "mlp.0"), ("mlp.linear_2", "mlp.3")):
        at = "encoder.layers.encoder_layer_4"
        assert PUBLISHED.our_name(f"{at}.{old}.weight") == PUBLISHED.our_name(f"{at}.{new}.weight")


def test_unknown_tensors_keep_their_names():
    for name in ("blocks.0.attn.qkv.weight", "encoder.layers.encoder_layer_0.gamma", "conv_proj.running_mean"):
        assert PUBLISHED.our_name(name) == name


@pytest.mark.slow
def test_a_file_of_another_size_names_the_tensor_and_the_file(tmp_path):
    torch.save(TORCHVISION, tmp_path / "small.pth")
    with torch.device("meta"):
        network = ElasticNetwork(load_space("vit_b16"))
    with pytest.raises(CheckpointMismatch, match=r"token' is \(1, 1, 24\).*needs \(1, 1, 768\).*vit_b_16-c867db91.pth"):
        load_checkpoint(network, tmp_path / "small.pth")


def test_counts_are_torchvisions():
    # torchvision.models.ViT_B_16_Weights: 86,567,656 parameters, 17.56 billion multiply-accumulates.
    space = load_space("vit_b16")
    largest = [space.radices - 1]
    assert space.params(largest)[0] == 86_567_656
    assert round(space.macs(largest)[0] / 1e9, 2) == 17.56


def test_genes_are_those_of_dynas_t():
    space = load_space("vit_b16")
    assert [choice.name.partition(".")[0] for choice in space.choices] == ["depth", *["heads"] * 12, *["ffn"] * 12]
    options = {choice.name.partition(".")[0]: choice.options for choice in space.choices}
    assert options == {"depth": (10, 11, 12), "heads": (6, 8, 10, 12), "ffn": (1024, 2048, 3072)}


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_graph_equals_torch(network, backend):
    images = formula_images(2, SPACE.input_shape)
    for row in [SPACE.radices - 1, *SPACE.sample(3, np.random.default_rng(1))]:
        architecture = SPACE.architecture(row)
        expected = network.logits(images, architecture, {}).numpy()
        model = graph_from_layers(SPACE.layers(architecture), network.folded(architecture, {}), batch=2)
        with load_backend(backend).load(model, RunConfig(batch=2)) as executable:
            actual = executable.run({"input": images.numpy()})["output"]
        assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()
