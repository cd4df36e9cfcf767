"""A check and a transform in Python, as promptfoo calls them."""


def polite(output, context):
    return any(word in output for word in context["config"]["words"])


def lower(output, context):
    return output.lower()
