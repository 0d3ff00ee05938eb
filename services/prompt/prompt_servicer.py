"""PromptService on the wire."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.auth import Access, grpc_methods
from services.prompt.callers import reader
from services.prompt.domain import AssetType, PromptTemplate
from services.prompt.orders import PromptRequest
from services.prompt.usecases import Prompts
from streamerstudio.prompt.v1 import prompt_service_pb2 as calls
from streamerstudio.prompt.v1 import template_pb2 as messages
from streamerstudio.prompt.v1.prompt_service_pb2_grpc import PromptServiceServicer
from streamerstudio.type.v1 import asset_type_pb2

SERVICE_NAME = calls.DESCRIPTOR.services_by_name["PromptService"].full_name
METHODS = grpc_methods(
    SERVICE_NAME, {"ListTemplates": Access.USER, "GetTemplate": Access.USER, "PreviewPrompt": Access.USER}
)

Context = grpc.aio.ServicerContext[Any, Any]


class PromptServicer(PromptServiceServicer):
    """Templates, and prompts made with them."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    async def ListTemplates(self, request: calls.ListTemplatesRequest, context: Context) -> messages.TemplateList:
        return messages.TemplateList(templates=map(_message, self._prompts.list_templates()))

    async def GetTemplate(self, request: calls.GetTemplateRequest, context: Context) -> messages.Template:
        return _message(self._prompts.get_template(request.asset_type, request.version))

    async def PreviewPrompt(self, request: calls.PreviewPromptRequest, context: Context) -> calls.PreviewPromptResponse:
        written = await self._prompts.preview_prompt(
            reader(),
            request.brand_kit_id.lower() if request.HasField("brand_kit_id") else None,
            PromptRequest(
                asset_type=AssetType(asset_type_pb2.AssetType.Name(request.asset_type)),
                custom_prompt=request.custom_prompt,
                template_version=request.template_version,
            ),
        )
        findings = (
            calls.SanitizationFinding(rule=finding.rule, count=finding.count, action=finding.action)
            for finding in written.findings
        )
        return calls.PreviewPromptResponse(prompt=written.text, sanitization=findings)


def _message(template: PromptTemplate) -> messages.Template:
    return messages.Template(
        name=template.name,
        version=f"v{template.version}",
        asset_type=asset_type_pb2.AssetType.Value(template.asset_type),
        base_prompt=template.base_prompt,
        quality_modifiers=template.quality_modifiers,
        placeholders=template.placeholders,
    )
