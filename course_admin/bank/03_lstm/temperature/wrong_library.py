# score: 0
# says: course's own version
# why: lets the course's own package sample
def temperature_probabilities(logits, temperature):
    from course_utils.decoding.sampling import with_temperature

    return with_temperature(logits, temperature).softmax(-1)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    from course_utils.decoding.sampling import sample

    return sample(
        step, start, state, eos=-1, max_length=length, generator=generator, temperature=temperature
    )[0]
