import numpy as np
import pytest
import torch

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.elastic import BatchStatistics, ElasticNetwork, Pass
from gnomon.supernets.graph import graph_from_layers
from gnomon.supernets.layers.registry import macs, operations, params
from gnomon.supernets.space.slot import Part
from gnomon.supernets.testing import SpaceContract

TOKENS, WIDTH, VOCABULARY = 7, 12, 30
CHOICES = (Choice("depth", (1, 2)), Choice("heads.1", (1, 3)), Choice("heads.2", (1, 3)), Choice("ffn.1", (8, 20)))


def encoder(tokens, *, heads, ffn, norm, masked, activation="gelu"):
    return LayerSpec.of(
        "encoder_layer",
        (tokens, WIDTH),
        heads=heads,
        head_dim=4,
        ffn=ffn,
        norm=norm,
        activation=activation,
        epsilon_exponent=5,
        masked=int(masked),
    )


def text_space():
    first = LayerSpec.of(
        "token_embedding",
        (TOKENS,),
        vocabulary=VOCABULARY,
        width=WIDTH,
        limit=16,
        types=1,
        scaled=0,
        padding=0,
        norm=1,
        epsilon_exponent=12,
    )
    last = LayerSpec.of("sequence_classifier", (TOKENS, WIDTH), pool="mean", classes=3, norm=0)
    return SearchSpace(
        "text",
        "none",
        (TOKENS,),
        CHOICES,
        (
            Slot("embedding", (), (), (first,)),
            Slot.tabulate("layer1", CHOICES, ["heads.1", "ffn.1"], lambda heads, ffn: post(heads, ffn)),
            Slot.tabulate("layer2", CHOICES, ["heads.2", "depth"], lambda heads, d: post(heads, 8) if d > 1 else None),
            Slot("classifier", (), (), (last,)),
        ),
    )


def post(heads, ffn):
    return encoder(TOKENS, heads=heads, ffn=ffn, norm="post", masked=True)


def image_space():
    first = LayerSpec.of("patch_embedding", (3, 8, 8), patch=4, width=WIDTH)
    last = LayerSpec.of("sequence_classifier", (5, WIDTH), pool="first", classes=3, norm=1, epsilon_exponent=6)

    def layer(heads, ffn):
        return encoder(5, heads=heads, ffn=ffn, norm="pre", masked=False)

    choices = CHOICES[1:]
    return SearchSpace(
        "patches",
        "none",
        (3, 8, 8),
        choices,
        (
            Slot("embedding", (), (), (first,)),
            Slot.tabulate("layer1", choices, ["heads.1", "ffn.1"], layer),
            Slot.tabulate("layer2", choices, ["heads.2"], lambda heads: layer(heads, 8)),
            Slot("classifier", (), (), (last,)),
        ),
    )


def inputs_of(space, n):
    if len(space.input_shape) == 3:
        return torch.randn(n, *space.input_shape)
    ids = torch.randint(1, VOCABULARY, (n, TOKENS))
    ids[1, 4:] = 0
    return ids


@pytest.fixture(params=[text_space, image_space])
def space(request):
    return request.param()


class TestSequenceSpaces(SpaceContract):
    @pytest.fixture
    def space(self):
        return text_space()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_graph_equals_torch_where_heads_hidden_units_and_depth_are_sliced(space, backend):
    torch.manual_seed(1)
    network = ElasticNetwork(space).requires_grad_(False)
    for tensor in network.parameters():
        tensor.add_(0.3 * torch.randn_like(tensor))
    inputs = inputs_of(space, 3)
    for row in space.sample(6, np.random.default_rng(2)):
        architecture = space.architecture(row)
        expected = network.logits(inputs, architecture, {}).numpy()
        model = graph_from_layers(space.layers(architecture), network.folded(architecture, {}), batch=3)
        with load_backend(backend).load(model, RunConfig(batch=3)) as executable:
            actual = executable.run({"input": inputs.numpy()})["output"]
        assert np.abs(actual - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max())


def test_padding_changes_nothing():
    space = text_space()
    network = ElasticNetwork(space).requires_grad_(False)
    architecture = space.architecture(space.radices - 1)
    ids = torch.randint(1, VOCABULARY, (4, 5))
    padded = torch.nn.functional.pad(ids, (0, 2))
    assert torch.allclose(network.logits(ids, architecture, {}), network.logits(padded, architecture, {}), atol=1e-5)


def test_without_batch_norm_only_one_batch_is_run_to_find_that_out(space):
    network = ElasticNetwork(space).requires_grad_(False)
    batches = iter([inputs_of(space, 2) for _ in range(3)])
    assert network.calibrate_on(space.architecture(space.radices - 1), batches) == {}
    assert len(list(batches)) == 2


def test_encoder_layer_is_torchs_own():
    """With all heads, the post-norm layer is torch.nn.TransformerEncoderLayer."""
    space = text_space()
    network = ElasticNetwork(space).requires_grad_(False)
    steps = network.slots["layer1"].steps
    attention, feed = (steps[name].body.steps for name in ("attend", "feed"))
    attention, feed = attention["attention"], feed["feed_forward"]
    theirs = torch.nn.TransformerEncoderLayer(WIDTH, 3, 20, 0.0, "gelu", batch_first=True).eval().requires_grad_(False)
    theirs.self_attn.in_proj_weight.copy_(
        torch.cat([attention.query.weight, attention.key.weight, attention.value.weight])
    )
    theirs.self_attn.in_proj_bias.copy_(torch.cat([attention.query.bias, attention.key.bias, attention.value.bias]))
    theirs.self_attn.out_proj.load_state_dict(attention.output.state_dict())
    theirs.linear1.load_state_dict(feed.first.state_dict())
    theirs.linear2.load_state_dict(feed.second.state_dict())
    spec = post(3, 20)
    x, mask = torch.randn(2, TOKENS, WIDTH), torch.tensor([[False] * 7, [False] * 4 + [True] * 3])
    run = Pass(BatchStatistics(), {"mask": mask[:, None, None, :].float() * -1e4})
    ours = network.slots["layer1"].apply_all(x, operations(spec), "layer1", run)
    assert torch.allclose(ours[~mask], theirs(x, src_key_padding_mask=mask)[~mask], atol=1e-5)


def test_a_part_counts_as_often_as_it_runs():
    once = text_space()
    layer = Slot.tabulate("step", CHOICES, ["heads.1"], lambda heads: post(heads, 8), part=1)
    twice = SearchSpace("two", "none", (TOKENS,), CHOICES, (*once.slots, layer), (Part("encoder"), Part("step", 5)))
    row = once.radices - 1
    architecture = twice.architecture(row)
    assert twice.layers(architecture) == (*twice.part_layers(architecture, 0), *5 * twice.part_layers(architecture, 1))
    step = post(3, 8)
    assert twice.macs([row])[0] == once.macs([row])[0] + 5 * macs(step)
    assert twice.params([row])[0] == once.params([row])[0] + params(step)
    assert twice.digest != once.digest
