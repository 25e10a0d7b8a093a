"""Draw the pictures beside this file again: `python draw.py` (needs pillow)."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PICTURES = {
    "hello.png": ((360, 80), 32, ["Hello, Preheat"]),
    "receipt.png": (
        (640, 420),
        30,
        ["CORNER BAKERY", "2 x Sourdough 9.80", "1 x Espresso 2.40", "Total 12.20 EUR", "Thank you"],
    ),
    "invoice.png": (
        (760, 380),
        34,
        ["Invoice 2026-0417", "Consulting, 3 days", "Amount due: 2400.00", "Payable within 14 days"],
    ),
}


def draw(size: tuple[int, int], points: int, lines: list[str]) -> Image.Image:
    """Return dark text on paper, one line below the other."""
    picture = Image.new("RGB", size, (250, 249, 245))
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(points)
    for number, line in enumerate(lines):
        pen.text((30, 22 + number * points * 2), line, font=font, fill=(25, 25, 30))
    return picture


if __name__ == "__main__":
    for name, (size, points, lines) in PICTURES.items():
        draw(size, points, lines).save(Path(__file__).parent / name, optimize=True)
