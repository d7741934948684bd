# why: gates blended with a 0/1 weight, masks from a comparison of numbers, gather of log-probabilities, a list for the pair's order kept
def ablated_step(x, state, weights, clamp):
    names = [None, "input", "forget", "output"]
    wrong = [entry for entry in clamp if entry not in names]
    if wrong or len(clamp) != x.shape[0]:
        raise ValueError(f"clamp: {wrong or len(clamp)}")
    h, c = state
    place = torch.tensor([names.index(entry) for entry in clamp]).view(-1, 1, 1)
    blocks = torch.einsum("nbi,nki->nbk", x, weights["weight_ih"])
    blocks = blocks + torch.einsum("nbh,nkh->nbk", h, weights["weight_hh"]) + weights["bias"].unsqueeze(1)
    i, f, g, o = blocks.split(c.shape[-1], dim=-1)
    gates = {}
    for k, (name, block) in enumerate({"input": i, "forget": f, "output": o}.items(), 1):
        gates[name] = torch.sigmoid(block).masked_fill(place == k, 1.0)
    c = gates["forget"] * c + gates["input"] * torch.tanh(g)
    h = gates["output"] * torch.tanh(c)
    return (h, c), gates


def memoryless_loss(delay, length, symbols=8):
    steps = np.zeros(delay + 2 * length)
    steps[-length:] = np.log(symbols)
    return steps.mean()


def copy_scores(logits, targets, length):
    chances = logits - torch.logsumexp(logits, dim=-1, keepdim=True)
    loss = -chances.gather(-1, targets.unsqueeze(-1)).squeeze(-1).flatten(1).mean(1)
    hits = torch.eq(logits.max(-1).indices, targets)[..., -length:]
    return loss, hits.float().flatten(1).mean(1)


def table_row(clamped, losses, accuracies):
    row = {"clamped": clamped or "none", "seeds": len(losses)}
    for name, values in (("loss", losses), ("accuracy", accuracies)):
        values = np.array(values, dtype=float)
        row[name + "_mean"] = values.mean()
        row[name + "_sd"] = np.sqrt(((values - values.mean()) ** 2).sum() / (values.size - 1))
    return row
