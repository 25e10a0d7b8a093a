from preheat_providers.aws_lambda.shipped.weights.listing import Item, listing_json, read_listing

ITEMS = (
    Item(path="a/m.onnx", key="preheat/weights/11", bytes=5, sha256="11"),
    Item(path="b/größe", key="preheat/weights/22", bytes=0, sha256="22"),
)


def test_a_listing_survives_json_and_does_not_depend_on_order() -> None:
    assert read_listing(listing_json(reversed(ITEMS))) == ITEMS
    assert listing_json(ITEMS) == listing_json(reversed(ITEMS))
