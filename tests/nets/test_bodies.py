"""What holds for every body, and how bodies are found by name."""

import copy
import functools
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from imbkit._core.card import Card
from imbkit.exceptions import DataError, InvalidParameterError
from imbkit.nets import MLP, CosineHead, ResidualMLP, TabularNet, body_names, get_body
from imbkit.nets._batch_norm import BatchNorm
from imbkit.nets._category_embedding import CategoryEmbedding, embedding_width
from imbkit.nets._cosine_head import with_cosine_head
from imbkit.nets._seeded import seeded
from imbkit.nets._tabular_net import PeriodicEmbedding

BODIES = (MLP, ResidualMLP, TabularNet)
CASES = [(cls, dict(settings)) for cls in BODIES for settings in cls.card.cases]
CODES = (5, 3)


def case_id(value):
    if isinstance(value, type):
        return value.__name__
    return ",".join(f"{name}={each}" for name, each in value.items())


def made(cls, settings, n_features=4, n_outputs=3, cardinalities=CODES):
    with seeded(1):
        return cls(n_features, n_outputs, cardinalities, **settings)


def table(n=7, n_features=4, cardinalities=CODES, seed=0):
    rng = np.random.default_rng(seed)
    X = torch.from_numpy(rng.normal(size=(n, n_features)).astype(np.float32))
    codes = np.stack([rng.integers(0, c, n) for c in cardinalities], axis=1)
    return X, torch.from_numpy(codes)


every_case = pytest.mark.parametrize(("cls", "settings"), CASES, ids=case_id)
every_body = pytest.mark.parametrize("cls", BODIES)


@every_case
class TestEveryBody:
    def test_logits_are_what_the_head_makes_of_the_embedding(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table()
        embedding, logits = net.embed(X, codes), net(X, codes)
        assert embedding.shape == (7, net.width)
        assert logits.shape == (7, 3)
        torch.testing.assert_close(net.head(embedding), logits, rtol=0, atol=0)
        assert net.head_weight() is net.head.weight
        assert net.head_weight().shape == (3, net.width)

    def test_all_is_float32(self, cls, settings):
        net, (X, codes) = made(cls, settings), table()
        assert {p.dtype for p in net.parameters()} == {torch.float32}
        assert net(X, codes).dtype == torch.float32

    def test_rows_do_not_see_each_other_in_evaluation(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table()
        order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
        whole = net(X, codes)
        torch.testing.assert_close(net(X[order], codes[order]), whole[order])
        torch.testing.assert_close(net(X[2:3], codes[2:3]), whole[2:3])

    def test_order_of_rows_does_not_matter_in_training(self, cls, settings):
        quiet = {n: 0.0 for n in settings if "dropout" in n} | {"dropout": 0.0}
        net, (X, codes) = made(cls, settings | quiet).train(), table()
        order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
        torch.testing.assert_close(net(X[order], codes[order]), net(X, codes)[order])

    def test_each_column_matters(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table(30)
        before = net(X, codes)
        for j in range(X.shape[1]):
            other = X.clone()
            other[:, j] += 1
            assert (net(other, codes) != before).any()
        for j, c in enumerate(CODES):
            other = codes.clone()
            other[:, j] = (other[:, j] + 1) % c
            assert (net(X, other) != before).any()

    def test_evaluation_is_deterministic_and_changes_nothing(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table()
        state, before = torch.get_rng_state(), copy.deepcopy(net.state_dict())
        assert torch.equal(net(X, codes), net(X, codes))
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())

    def test_gradients_reach_every_parameter(self, cls, settings):
        net, (X, codes) = made(cls, settings), table(64)
        net.train()(X, codes).square().sum().backward()
        for name, p in net.named_parameters():
            assert p.grad is not None, name
            assert torch.isfinite(p.grad).all(), name
            # Before a normalisation over the batch a shift does nothing.
            assert (p.grad != 0).any() or name.endswith("bias"), name

    def test_a_few_steps_lower_the_loss(self, cls, settings):
        net, (X, codes) = made(cls, settings).train(), table(64)
        target = (X[:, 0] > 0).long()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
        losses = []
        with seeded(0):
            for _ in range(60):
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(net(X, codes), target)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        assert np.mean(losses[-5:]) < 0.6 * losses[0]

    def test_a_batch_of_one_row_can_be_learned_from(self, cls, settings):
        net, (X, codes) = made(cls, settings).train(), table(1)
        before = {n: b.clone() for n, b in net.named_buffers() if "running" in n}
        logits = net(X, codes)
        logits.sum().backward()
        assert torch.isfinite(logits).all()
        assert all(torch.equal(dict(net.named_buffers())[n], b) for n, b in before.items())

    def test_columns_of_one_kind_alone(self, cls, settings):
        X, codes = table()
        numbers = made(cls, settings, cardinalities=()).eval()
        assert numbers(X).shape == (7, 3)
        texts = made(cls, settings, n_features=0).eval()
        assert texts(X[:, :0], codes).shape == (7, 3)

    def test_pickled_and_copied_it_is_the_same(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table()
        for other in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
            assert torch.equal(other(X, codes), net(X, codes))
        other = made(cls, settings)
        with torch.no_grad():
            for p in other.parameters():
                p.zero_()
        other.load_state_dict(net.state_dict())
        assert torch.equal(other.eval()(X, codes), net(X, codes))

    def test_parameters_stand_under_their_names(self, cls, settings):
        net = made(cls, settings)
        for name, value in settings.items():
            assert getattr(net, name) == value
            assert f"{name}={value!r}" in repr(net)
        assert (net.n_features, net.n_outputs, net.cardinalities) == (4, 3, CODES)

    def test_other_columns_are_refused(self, cls, settings):
        net, (X, codes) = made(cls, settings), table()
        with pytest.raises(DataError, match="4 columns of numbers. Got shape \\(7, 3\\)"):
            net(X[:, :3], codes)
        with pytest.raises(DataError, match="codes of 2 categorical columns must be given"):
            net(X)
        with pytest.raises(DataError, match="Got shape \\(7, 1\\)"):
            net(X, codes[:, :1])

    def test_half_precision(self, cls, settings):
        net, (X, codes) = made(cls, settings).eval(), table()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = net(X, codes).float()
        assert torch.isfinite(half).all()
        torch.testing.assert_close(half, net(X, codes), rtol=0.1, atol=0.1)


@every_body
class TestConstructors:
    def test_card_and_names(self, cls):
        assert cls._is_method
        assert isinstance(vars(cls)["card"], Card)
        assert cls.names[0] in body_names()

    @pytest.mark.parametrize(
        ("sizes", "name"),
        [
            ((-1, 2), "n_features"),
            ((2.5, 2), "n_features"),
            ((True, 2), "n_features"),
            ((2, 0), "n_outputs"),
            ((2, 2, (0,)), "cardinalities"),
            ((0, 2), "a column"),
        ],
    )
    def test_bad_sizes(self, cls, sizes, name):
        with pytest.raises(InvalidParameterError, match=f"{cls.__name__}: .*{name}"):
            cls(*sizes)

    def test_numpy_sizes_are_fine(self, cls):
        net = cls(np.int64(3), np.int32(2), np.array([4, 2]))
        assert type(net.n_features) is int
        assert net.cardinalities == (4, 2)

    @pytest.mark.parametrize("value", [-0.1, 1.5, "x", None, float("nan")])
    def test_bad_dropout(self, cls, value):
        with pytest.raises(InvalidParameterError, match="dropout"):
            cls(2, 2, dropout=value)


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (MLP, {"hidden": 8}),
        (MLP, {"hidden": "8"}),
        (MLP, {"hidden": (8, 0)}),
        (MLP, {"hidden": (8, 2.5)}),
        (MLP, {"activation": "rellu"}),
        (MLP, {"batch_norm": "yes"}),
        (ResidualMLP, {"width": 0}),
        (ResidualMLP, {"n_blocks": -1}),
        (ResidualMLP, {"hidden_factor": 0.0}),
        (ResidualMLP, {"residual_dropout": 2.0}),
        (TabularNet, {"n_frequencies": 0}),
        (TabularNet, {"n_embedding": 0}),
        (TabularNet, {"sigma": 0.0}),
        (TabularNet, {"width": "wide"}),
        (TabularNet, {"n_blocks": 1.5}),
    ],
    ids=case_id,
)
def test_bad_settings(cls, settings):
    with pytest.raises(InvalidParameterError, match=f"{cls.__name__}: {next(iter(settings))} "):
        cls(2, 2, **settings)


def test_without_hidden_layers_the_net_is_linear():
    net = made(MLP, {"hidden": ()}, cardinalities=()).double()
    X = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = X @ net.head.weight.T + net.head.bias
    torch.testing.assert_close(net(X), expected, rtol=0, atol=1e-12)


def test_the_first_hidden_layer_by_hand():
    net = made(MLP, {"hidden": (5,), "activation": "tanh"}, cardinalities=()).double()
    X = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    layer = net.layers[0]
    torch.testing.assert_close(net.embed(X), torch.tanh(X @ layer.weight.T + layer.bias))


def test_layers_stand_in_their_order():
    net = made(MLP, {"hidden": (5, 4), "batch_norm": True, "dropout": 0.2, "activation": "gelu"})
    once = [nn.Linear, BatchNorm, nn.GELU, nn.Dropout]
    assert [type(layer) for layer in net.layers] == once + once
    assert {layer.p for layer in net.layers if isinstance(layer, nn.Dropout)} == {0.2}
    assert [type(layer) for layer in made(MLP, {"hidden": (5,)}).layers] == [nn.Linear, nn.ReLU]


def test_a_residual_block_by_hand():
    net = made(ResidualMLP, {"width": 6, "n_blocks": 1}, cardinalities=()).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if "running" in name:
                buffer.copy_(0.5 + torch.rand(6, generator=generator))
    X = torch.randn(5, 4, dtype=torch.float64, generator=generator)

    def norm(layer, x):
        scaled = (x - layer.running_mean) / torch.sqrt(layer.running_var + layer.eps)
        return scaled * layer.weight + layer.bias

    def linear(layer, x):
        return x @ layer.weight.T + layer.bias

    block, x = net.blocks.blocks[0], linear(net.blocks.first, X)
    x = x + linear(block[4], linear(block[1], norm(block[0], x)).clamp_min(0))
    expected = norm(net.blocks.last[0], x).clamp_min(0)
    torch.testing.assert_close(net.embed(X), expected, rtol=0, atol=1e-10)


def test_a_block_of_zeros_is_passed_by():
    net = made(ResidualMLP, {"width": 6, "n_blocks": 3}).eval()
    plain = made(ResidualMLP, {"width": 6, "n_blocks": 0}).eval()
    with torch.no_grad():
        for block in net.blocks.blocks:
            block[4].weight.zero_()
            block[4].bias.zero_()
    own, other = net.state_dict(), plain.state_dict()
    plain.load_state_dict({name: own[name] for name in other})
    X, codes = table()
    assert torch.equal(net(X, codes), plain(X, codes))


def test_embeddings_are_not_negative():
    X, codes = table(50)
    for cls in (ResidualMLP, TabularNet):
        assert (made(cls, {"width": 8})(X, codes).isfinite()).all()
        assert (made(cls, {"width": 8}).embed(X, codes) >= 0).all()


class TestPeriodicEmbedding:
    def test_waves_by_hand(self):
        layer = PeriodicEmbedding(2, 3, 4, 0.7).double()
        X = torch.tensor([[0.3, -2.0], [1.0, 0.5]], dtype=torch.float64)
        for i in range(2):
            for j in range(2):
                v = 2 * np.pi * layer.frequencies[j].detach().numpy() * X[i, j].item()
                waves = np.concatenate([np.cos(v), np.sin(v)])
                mixed = waves @ layer.weight[j].detach().numpy() + layer.bias[j].detach().numpy()
                found = layer(X)[i, j].detach().numpy()
                np.testing.assert_allclose(found, np.maximum(mixed, 0), atol=1e-12)

    def test_sigma_is_the_spread_of_frequencies(self):
        with seeded(0):
            layer = PeriodicEmbedding(50, 200, 1, 0.3)
        assert layer.frequencies.std().item() == pytest.approx(0.3, rel=0.03)
        assert abs(layer.frequencies.mean().item()) < 0.01

    def test_a_bump_is_learned_sooner_than_by_a_plain_net(self):
        X = torch.linspace(-2, 2, 400)[:, None]
        target = ((X[:, 0] * 4).floor() % 2).long()  # sixteen stripes

        def loss_after(cls, **settings):
            net = made(cls, settings, n_features=1, n_outputs=2, cardinalities=())
            optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
            with seeded(0):
                for _ in range(150):
                    optimizer.zero_grad()
                    loss = nn.functional.cross_entropy(net(X), target)
                    loss.backward()
                    optimizer.step()
            return loss.item()

        size = {"width": 32, "dropout": 0.0}
        assert loss_after(TabularNet, sigma=1.0, **size) < 0.5 * loss_after(ResidualMLP, **size)


class TestCategoryEmbedding:
    @pytest.mark.parametrize(
        ("codes", "width"), [(1, 2), (2, 3), (3, 3), (10, 6), (100, 22), (10_000, 50)]
    )
    def test_width(self, codes, width):
        assert embedding_width(codes) == width

    def test_unknown_starts_as_zeros_and_learns(self):
        layer = CategoryEmbedding((4, 6))
        out = layer(torch.zeros(2, 2, dtype=torch.int64))
        assert out.shape == (2, layer.width)
        assert (out == 0).all()
        out.sum().backward()
        assert all((column.weight.grad[0] == 2).all() for column in layer.columns)

    def test_columns_stand_side_by_side(self):
        layer = CategoryEmbedding((4, 6))
        codes = torch.tensor([[1, 5], [3, 0]])
        first, second = (column.weight for column in layer.columns)
        expected = torch.cat([first[[1, 3]], second[[5, 0]]], dim=1)
        assert torch.equal(layer(codes), expected)

    def test_levels_have_a_length_of_about_one(self):
        with seeded(0):
            layer = CategoryEmbedding((2000,))
        lengths = layer.columns[0].weight[1:].norm(dim=1)
        assert lengths.mean().item() == pytest.approx(1.0, abs=0.02)


class TestBatchNorm:
    def test_several_rows_as_torch_does(self):
        ours, theirs = BatchNorm(3), nn.BatchNorm1d(3)
        X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
        assert torch.equal(ours(X), theirs(X))
        assert torch.equal(ours.running_var, theirs.running_var)
        assert torch.equal(ours.eval()(X), theirs.eval()(X))

    def test_one_row_by_the_running_statistics(self):
        layer = BatchNorm(3)
        layer(torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 3 + 1)
        row = torch.tensor([[1.0, 2.0, 3.0]])
        assert torch.equal(layer(row), copy.deepcopy(layer).eval()(row))


class TestCosineHead:
    def test_cosines(self):
        head = CosineHead(4, 3).double()
        generator = torch.Generator().manual_seed(0)
        e = torch.randn(5, 4, dtype=torch.float64, generator=generator)
        with torch.no_grad():
            head.weight.mul_(torch.tensor([[0.1], [3.0], [50.0]]))
        expected = nn.functional.cosine_similarity(e[:, None], head.weight[None], dim=2)
        torch.testing.assert_close(head(e), expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(head(1e3 * e), expected, rtol=0, atol=1e-12)

    def test_bounds_and_an_embedding_of_zeros(self):
        head = CosineHead(4, 3)
        own = head(head.weight.detach() * 7)
        torch.testing.assert_close(own.diag(), torch.ones(3))
        assert own.abs().max() <= 1 + 1e-6
        zeros = torch.zeros(2, 4, requires_grad=True)
        out = head(zeros)
        out.sum().backward()
        assert (out == 0).all()
        assert torch.isfinite(zeros.grad).all()
        assert torch.isfinite(head.weight.grad).all()

    def test_weights_start_with_length_one(self):
        torch.testing.assert_close(CosineHead(9, 5).weight.norm(dim=1), torch.ones(5))

    def test_gradient(self):
        head = CosineHead(4, 3).double()
        e = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        assert torch.autograd.gradcheck(
            lambda e, w: torch.func.functional_call(head, {"weight": w}, (e,)),
            (e.requires_grad_(), head.weight),
        )

    def test_card_and_bad_sizes(self):
        assert isinstance(vars(CosineHead)["card"], Card)
        assert repr(CosineHead(4, 3)) == "CosineHead(n_in=4, n_out=3)"
        assert "cosine" not in body_names()
        with pytest.raises(InvalidParameterError, match="CosineHead: n_in"):
            CosineHead(0, 2)

    @every_body
    def test_it_takes_the_place_of_a_linear_head(self, cls):
        X, codes = table()
        net = made(cls, {})
        embedding = net.eval().embed(X, codes)
        state = torch.get_rng_state()
        changed = with_cosine_head(net, seed=3)
        assert torch.equal(torch.get_rng_state(), state)
        assert changed is net
        assert (net.head.n_in, net.head.n_out) == (net.width, 3)
        assert torch.equal(net(X, codes), net.head(embedding))
        assert net.head_weight() is net.head.weight
        kept = net.head
        assert with_cosine_head(net).head is kept
        again = with_cosine_head(made(cls, {}), seed=3)
        assert torch.equal(again.head.weight, kept.weight)

    def test_a_module_without_a_linear_head_is_refused(self):
        rule = "Sequential: .*linear layer called head. .*Call the module's last layer head"
        with pytest.raises(InvalidParameterError, match=rule):
            with_cosine_head(nn.Sequential(nn.Linear(2, 2)))

    def test_the_type_of_the_weights_is_kept(self):
        assert with_cosine_head(made(MLP, {}).double()).head.weight.dtype == torch.float64


class Own(nn.Module):
    """A user's module, for numbers alone."""

    def __init__(self, n_features, n_outputs, depth=1):
        super().__init__()
        self.head, self.depth = nn.Linear(n_features, n_outputs), depth

    def forward(self, X):
        return self.head(X)


class Asking(nn.Module):
    """A user's module with names of its own."""

    def __init__(self, n_in):
        super().__init__()
        self.head = nn.Linear(n_in, 2)

    def forward(self, X, codes=None):
        return self.head(X)


class Sub(MLP):
    """A user's body, which hands everything on."""

    def __init__(self, *args, **given):
        super().__init__(*args, **given)


class TestGetBody:
    def test_names(self):
        assert body_names() == ["mlp", "residual", "tabular"]
        for cls in BODIES:
            for name in cls.names:
                for written in (name, name.upper(), name.replace("_", "-")):
                    assert type(get_body(written, 3, 2)) is cls

    def test_parameters_reach_the_body(self):
        net = get_body("mlp", 3, 2, (4,), hidden=(5,))
        assert (net.n_features, net.n_outputs, net.cardinalities) == (3, 2, (4,))
        assert net.hidden == (5,)

    @pytest.mark.parametrize("name", ["mpl", "residul", "tabula"])
    def test_near_names_are_suggested(self, name):
        with pytest.raises(InvalidParameterError, match="get_body: there is no such .*Did you me"):
            get_body(name, 3, 2)

    def test_all_names_if_none_is_near(self):
        with pytest.raises(InvalidParameterError, match="Names are 'mlp', 'residual', 'tabular'"):
            get_body("transformer!", 3, 2)

    def test_near_parameters_are_suggested(self):
        with pytest.raises(InvalidParameterError, match="MLP: .*Did you mean 'dropout'"):
            get_body("mlp", 3, 2, drop_out=0.1)
        with pytest.raises(InvalidParameterError, match="Own: parameters are 'depth'. Got width"):
            get_body(Own, 3, 2, width=4)

    def test_weights_come_from_the_seed_and_leave_no_trace(self):
        torch.manual_seed(5)
        before = torch.get_rng_state()
        first = get_body("tabular", 3, 2, (4,), seed=1)
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(3)
        again = get_body("tabular", 3, 2, (4,), seed=1).state_dict()
        other = get_body("tabular", 3, 2, (4,), seed=2).state_dict()
        assert all(torch.equal(again[name], p) for name, p in first.named_parameters())
        assert not torch.equal(other["head.weight"], first.head.weight)

    @pytest.mark.parametrize("seed", [-1, 1.5, None])
    def test_bad_seed(self, seed):
        with pytest.raises(InvalidParameterError, match="seed"):
            get_body("mlp", 3, 2, seed=seed)

    def test_a_class_gets_what_it_takes(self):
        net = get_body(Own, 3, 2, depth=4)
        assert net.head.weight.shape == (2, 3)
        assert net.depth == 4
        assert get_body(Asking, 3, 2, (4,), n_in=3).head.weight.shape == (2, 3)
        assert get_body(Sub, 3, 2, (4,), hidden=(6,)).cardinalities == (4,)
        assert get_body(functools.partial(MLP, hidden=(6,)), 3, 2).hidden == (6,)
        assert get_body(lambda n_features: nn.Linear(n_features, 9), 3, 2).out_features == 9

    def test_what_a_class_asks_for_beyond_is_named(self):
        with pytest.raises(InvalidParameterError, match="Asking: .*Got no 'n_in'. Give it as a p"):
            get_body(Asking, 3, 2)

    def test_an_object_is_copied_with_its_weights(self):
        own = Own(3, 2)
        copied = get_body(own, 3, 2, seed=9)
        assert copied is not own
        assert torch.equal(copied.head.weight, own.head.weight)
        with torch.no_grad():
            copied.head.weight.zero_()
        assert (own.head.weight != 0).any()

    def test_an_object_takes_no_parameters(self):
        with pytest.raises(InvalidParameterError, match="Give its class instead"):
            get_body(Own(3, 2), 3, 2, depth=3)

    @pytest.mark.parametrize(
        ("sizes", "name"),
        [((4, 2), "n_features"), ((3, 5), "n_outputs"), ((3, 2, (4,)), "cardinalities")],
    )
    def test_a_body_for_another_table_is_refused(self, sizes, name):
        with pytest.raises(InvalidParameterError, match=f"whose {name} is"):
            get_body(MLP(3, 2), *sizes)

    def test_codes_are_needed_where_there_are_categories(self):
        for module in (Own, Own(3, 2)):
            with pytest.raises(InvalidParameterError, match="forward must take codes.*'Own'"):
                get_body(module, 3, 2, (4,))

    @pytest.mark.parametrize("module", [None, 3, ["mlp"], dict, np.ndarray])
    def test_anything_else_is_refused(self, module):
        with pytest.raises(InvalidParameterError, match="module must be a name, a class"):
            get_body(module, 3, 2)

    def test_a_function_must_return_a_module(self):
        with pytest.raises(InvalidParameterError, match="class of torch modules, or a function"):
            get_body(lambda: 3, 3, 2)
