# why: F.linear per block, state_dict to load, isinstance checks, sizes read from the arguments at each call
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        bound = hidden_size**-0.5
        w = torch.rand(4 * hidden_size, input_size + hidden_size) * 2 * bound - bound
        self.register_parameter("weight_ih", nn.Parameter(w[:, :input_size].clone()))
        self.register_parameter("weight_hh", nn.Parameter(w[:, input_size:].clone()))
        start = torch.tensor([0.0, forget_bias, 0.0, 0.0])
        self.bias = nn.Parameter(start.repeat_interleave(hidden_size))

    def gates(self, x, h):
        activations = torch.sigmoid, torch.sigmoid, torch.tanh, torch.sigmoid
        blocks = zip(self.weight_ih.chunk(4), self.weight_hh.chunk(4), self.bias.chunk(4))
        return tuple(act(F.linear(x, a, b) + F.linear(h, u)) for act, (a, u, b) in zip(activations, blocks))

    def forward(self, x, state=None):
        if state is None:
            zeros = torch.zeros(x.shape[0], self.weight_hh.shape[1], dtype=x.dtype, device=x.device)
            state = (zeros, zeros)
        h, c = state
        i, f, g, o = self.gates(x=x, h=h)
        c = torch.addcmul(f * c, i, g)
        return o * c.tanh(), c

    def load_library(self, lstm):
        theirs = lstm.state_dict()
        if "weight_ih_l1" in theirs or "weight_ih_l0_reverse" in theirs:
            raise ValueError("one layer and one direction only")
        if (
            theirs["weight_ih_l0"].shape != self.weight_ih.shape
            or theirs["weight_hh_l0"].shape != self.weight_hh.shape
        ):
            raise ValueError("other sizes")
        self.load_state_dict(
            {
                "weight_ih": theirs["weight_ih_l0"],
                "weight_hh": theirs["weight_hh_l0"],
                "bias": theirs["bias_ih_l0"] + theirs["bias_hh_l0"],
            }
        )
