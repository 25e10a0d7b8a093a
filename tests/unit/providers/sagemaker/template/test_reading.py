from tests.fakes.sagemaker_templates import UPLOAD, template

from preheat.plan.model import Resource
from preheat_providers._aws.templates.reading import PERMISSION
from preheat_providers.sagemaker.template.reading import resources_of


def by_name(found: tuple[Resource, ...]) -> dict[str, Resource]:
    return {each.name: each for each in found}


def test_every_resource_and_every_permission_is_in_the_plan_once() -> None:
    made = template(UPLOAD)
    found = resources_of(made)
    names = [each.name for each in found]
    assert len(set(names)) == len(names)
    assert set(made["Resources"]) <= set(names)
    permissions = {each.name for each in found if each.kind == PERMISSION}
    assert "ecr:GetAuthorizationToken on *" in permissions
    assert any(each.startswith("sagemaker:InvokeEndpointAsync on ") for each in permissions)


def test_a_change_of_code_is_one_of_the_image_and_of_the_digest_alone() -> None:
    before = by_name(resources_of(template()))
    after = by_name(resources_of(template(image=f"sha256:{'1' * 64}", digest="sha256:2")))
    assert {name for name in before if before[name] != after[name]} == {"Model", "EndpointConfig"}


def test_the_value_of_a_secret_is_no_part_of_the_plan_but_its_change_is() -> None:
    secrets = {"HUB_TOKEN": "env:HUB_TOKEN"}
    before = by_name(resources_of(template(secrets=secrets, secrets_mark="1")))
    after = by_name(resources_of(template(secrets=secrets, secrets_mark="2")))
    assert {name for name in before if before[name] != after[name]} == {"Model"}
    variable = before["Model"].properties["PrimaryContainer"]["Environment"]["HUB_TOKEN"]
    assert variable.startswith("${SecretHUBTOKEN")
