# why: unfold for the windows, cat around the held-out row, one forward pass for both losses, NumPy arrays of losses
import torch.nn.functional as functional


def make_windows(series, length):
    pairs = series.unfold(0, length + 1, length).unsqueeze(-1)  # (B, T + 1, 1)
    return pairs[:, :-1].clone(), pairs[:, 1:].clone()


class Forecaster(nn.Module):
    def __init__(self, hidden_size=50):
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "rnn": nn.RNN(input_size=1, hidden_size=hidden_size, nonlinearity="relu"),
                "dense": nn.Linear(hidden_size, 1),
            }
        )

    def forward(self, x):
        states = self.layers["rnn"](x.transpose(0, 1))[0]  # (T, B, H): the library's own order
        return self.layers["dense"](states).transpose(0, 1)


def train_forecaster(model, x, y, held_out, epochs=50, lr=0.01):
    x_train = torch.cat([x[:held_out], x[held_out + 1 :]])
    y_train = torch.cat([y[:held_out], y[held_out + 1 :]])
    x_test, y_test = x[held_out : held_out + 1], y[held_out : held_out + 1]
    optimizer = torch.optim.Adam(model.parameters(), lr)
    losses = np.zeros((2, epochs))
    loss_function = nn.MSELoss()
    for epoch in range(epochs):
        loss = loss_function(model(x_train), y_train)
        losses[:, epoch] = loss.item(), functional.mse_loss(model(x_test), y_test).detach().item()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return losses[0].tolist(), losses[1].tolist()
