from pathlib import Path

from preheat.project.model import Project
from preheat_providers._aws.templates.document import document_of


def test_a_document_says_whose_it_is_and_each_output_is_a_value() -> None:
    project = Project(root=Path("p"), stage="dev", name="ocr", handler="handler:Model")
    made = document_of(project, parameters={}, resources={"A": {"Type": "T"}}, outputs={"Url": {"Ref": "A"}})
    assert made["Description"] == "preheat: ocr at dev"
    assert made["Outputs"] == {"Url": {"Value": {"Ref": "A"}}}
    assert made["Resources"] == {"A": {"Type": "T"}}
