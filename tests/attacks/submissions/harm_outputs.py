# kind: harm
# deserved: 7
# flag: true
# about: displays HTML, JavaScript, SVG and LaTeX
# right: tasks scale step

# %% after scale
from IPython.display import HTML, SVG, Javascript, Latex, Markdown, display

display(HTML("<script>alert('zqx-script')</script>"), Javascript("alert('zqx-script')"))
display(Markdown("<img src=x onerror=alert(1)>"), Latex(r"$\href{javascript:alert(1)}{x}$"))
display(SVG(data="<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"))
display({"image/png": '"><script>alert("zqx-script")</script>', "text/plain": "<script>zqx-script</script>"}, raw=True)
print("<script>alert('zqx-script')</script>")
