"""Pictures over HTTP. How they are painted is the painter's own test."""

from __future__ import annotations

import io

import pytest
import requests
from patience import PATIENCE
from PIL import Image

from airflow_provider_talecraft.sandbox import Sandbox
from airflow_provider_talecraft.sandbox.painter import SIZES


@pytest.mark.parametrize("aspect_ratio", ["1:1", "2:3", "3:2", "3:4", "4:3", "9:16", "16:9"])
def test_an_image_url_leads_to_a_jpeg_of_the_right_size_without_a_key(box, aspect_ratio):
    image_url = box.generate({"prompt": "a fox", "aspect_ratio": aspect_ratio}).json()["data"]["image_url"]

    response = requests.get(image_url, timeout=PATIENCE)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/jpeg")
    assert response.headers["content-length"] == str(len(response.content))
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", SIZES[aspect_ratio])


def test_the_same_prompt_is_the_same_picture_and_another_seed_another(call):
    def pictures(seed):
        with Sandbox(seed=seed) as sandbox:
            prompts = ("a fox", "a fox", "a whale")
            return [
                requests.get(call(sandbox).paint(prompt)["image_url"], timeout=PATIENCE).content for prompt in prompts
            ]

    fox, again, whale = pictures(1)
    assert fox == again != whale
    assert pictures(2)[0] != fox


@pytest.mark.parametrize("name", ["00000000-0000-0000-0000-000000000000", "..%2f..%2fetc%2fpasswd", "x"])
def test_a_picture_nobody_paid_for_is_not_there(box, name):
    assert box.get(f"/uploads/illustrations/{name}.jpeg").status_code == 404


def test_a_picture_can_be_asked_for_by_head(box):
    image_url = box.paint()["image_url"]
    head, whole = requests.head(image_url, timeout=PATIENCE), requests.get(image_url, timeout=PATIENCE)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))
