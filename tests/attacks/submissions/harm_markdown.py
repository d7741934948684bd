# kind: harm
# deserved: 7
# flag: true
# about: a written answer with scripts, handlers, frames and remote images
# right: tasks scale step

# %% cell why
Fine <script>alert("zqx-script")</script> <img src="x" onerror="alert(1)">
<iframe src="https://evil.example/zqx-frame"></iframe> [press](javascript:alert(1)) ![a](https://evil.example/zqx.png)

- [pic]: https://evil.example/zqx-list.png

![pic] ![two
lines]

[two
lines]: https://evil.example/zqx-lines.png

$\href{javascript:alert(1)}{x}$
