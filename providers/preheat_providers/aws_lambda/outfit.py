"""What a deploy of one bundle is made of, before anybody is asked. Reads the bundle's files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preheat.bundle.model import Bundle
from preheat.errors import ProjectError
from preheat.project.model import Project
from preheat.project.secret_values import resolve_secrets, secrets_mark
from preheat_providers.aws_lambda.built_findings import built_findings
from preheat_providers.aws_lambda.deploying.archives import Artifacts, artifacts_of
from preheat_providers.aws_lambda.options import Options
from preheat_providers.aws_lambda.target import environment_of
from preheat_providers.aws_lambda.template.document import template_of
from preheat_providers.aws_lambda.template.names import object_prefix
from preheat_providers.aws_lambda.template.wanted import Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """The archives, the template that names them, and what that was made from; `secrets` are values."""

    artifacts: Artifacts
    wanted: Wanted
    template: Mapping[str, Any]
    secrets: Mapping[str, str]


def outfit_of(project: Project, bundle: Bundle, options: Options, environ: Mapping[str, str]) -> Outfit:
    """Return what `bundle` is deployed with; `environ` has the secrets.

    Raises ProjectError for what AWS has no room for, ProviderError for a secret without a value.
    """
    artifacts = artifacts_of(bundle, options, object_prefix(project.name, project.stage))
    secrets = resolve_secrets(project, environ)
    wanted = Wanted(
        project=project,
        options=options,
        keys=artifacts.keys,
        digest=bundle.digest,
        environment=environment_of(project, options),
        secrets_mark=secrets_mark(project, secrets),
    )
    template = template_of(wanted)
    if findings := built_findings(bundle, project, options, template):
        raise ProjectError(f"{project.name} does not fit into AWS Lambda.", findings=findings)
    return Outfit(artifacts=artifacts, wanted=wanted, template=template, secrets=secrets)
