"""MiniStack's own evaluator of IAM, asked about requests that MiniStack has no service for.

`verdicts` runs this file as a program in MiniStack's Python: policies and requests in, decisions out.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
Asked = Sequence[tuple[str, str, Mapping[str, str]]]


def verdicts(policies: Sequence[Mapping[str, Any]], asked: Asked) -> list[bool]:
    """Say of each request (action, resource, what is known) whether `policies` allow it."""
    from tests.fakes.aws.ministack import MINISTACK
    from tests.fakes.environments import python_with

    question = json.dumps({"policies": policies, "asked": asked})
    program = [str(python_with(MINISTACK)), "-m", "tests.fakes.aws.judge"]
    done = subprocess.run(program, input=question, cwd=ROOT, capture_output=True, text=True, check=True)
    answers: list[bool] = json.loads(done.stdout)
    return answers


def main() -> None:
    """Answer what standard input asks."""
    from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

    question = json.load(sys.stdin)
    policies = [parse_policy_document(each) for each in question["policies"]]
    answers = []
    for action, resource, known in question["asked"]:
        context = EvalContext(
            principal_arn="arn:aws:iam::123456789012:user/deployer",
            principal_type="User",
            principal_account="123456789012",
            action=action,
            resource_arn=resource,
            region="ap-southeast-1",
            service_context={key.lower(): value for key, value in known.items()},
        )
        answers.append(evaluate(context, policies).decision == "Allow")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
