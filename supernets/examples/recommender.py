"""A super-network that recommends: a tower for users, one for items, and what joins them (as arXiv 1708.05031 does).

It takes the numbers of a user and of an item and gives two scores, of no interest and of interest. Embeddings, towers
and the joining layer have elastic widths; the towers' depths are elastic too.
Copy this file, change it, and check it: gnomon space check recommender:Recommender
"""

from torch import nn
from torch.nn import functional

from gnomon.supernets.own_networks.adapter import Input, TorchSpace, block, layer


class Table(nn.Embedding):
    """A vector for every user, or item: (batch,) becomes (batch, width)."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__(rows, width)


class Tower(nn.Sequential):
    """One fully connected layer."""

    def __init__(self, taken: int, width: int) -> None:
        super().__init__(nn.Linear(taken, width), nn.BatchNorm1d(width), nn.ReLU())


class Joined(nn.Module):
    """What the towers give, projected one by one: joined end to end, a smaller width would move the second's place."""

    def __init__(self, user: int, item: int, hidden: int) -> None:
        super().__init__()
        self.user, self.item = nn.Linear(user, hidden), nn.Linear(item, hidden)
        self.scores = nn.Linear(hidden, 2)

    def forward(self, user, item):
        return self.scores(functional.relu(self.user(user) + self.item(item)))


class Recommender(TorchSpace):
    """Its genes: widths of embeddings, towers and the joining layer, and whether the towers have a second layer."""

    def __init__(self, users: int = 943, items: int = 1682) -> None:
        self.users, self.items = users, items
        self.inputs = {"user": Input((), "int64", high=users), "item": Input((), "int64", high=items)}
        widths = {"user_width": (8, 16, 32), "item_width": (8, 16, 32)}
        self.choices = {**widths, "tower": (16, 32, 64), "depth": (1, 2), "hidden": (16, 32)}

    @block(takes="user")
    def user_table(self, user_width):
        return layer(Table, rows=self.users, width=user_width)

    @block
    def user_tower(self, shape, tower):
        return layer(Tower, taken=shape[0], width=tower)

    @block
    def user_tower2(self, shape, depth):
        return layer(Tower, taken=shape[0], width=shape[0]) if depth == 2 else None

    @block(takes="item")
    def item_table(self, item_width):
        return layer(Table, rows=self.items, width=item_width)

    @block
    def item_tower(self, shape, tower):
        return layer(Tower, taken=shape[0], width=tower)

    @block
    def item_tower2(self, shape, depth):
        return layer(Tower, taken=shape[0], width=shape[0]) if depth == 2 else None

    @block(takes=("user_tower2", "item_tower2"))
    def joined(self, shapes, hidden):
        user, item = shapes["user_tower2"], shapes["item_tower2"]
        return layer(Joined, user=user[0], item=item[0], hidden=hidden)
