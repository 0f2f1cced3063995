"""What Airflow asks about this package: names, the connection form, where things live. Plain data, imports nothing."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider metadata (entry point ``apache_airflow_provider``)."""
    return {
        "package-name": "airflow-provider-talecraft",
        "name": "TaleCraft",
        "description": "`TaleCraft AI <https://talescaleai.com>`__ draws picture-book illustrations from a prompt.",
        "integrations": [
            {
                "integration-name": "TaleCraft",
                "external-doc-url": "https://talescaleai.com",
                "tags": ["service"],
            }
        ],
        "hooks": [
            {
                "integration-name": "TaleCraft",
                "python-modules": ["airflow_provider_talecraft.hooks.talecraft"],
            }
        ],
        "operators": [
            {
                "integration-name": "TaleCraft",
                "python-modules": ["airflow_provider_talecraft.operators.illustration"],
            }
        ],
        "transfers": [
            {
                "source-integration-name": "TaleCraft",
                "target-integration-name": "Common IO",
                "python-module": "airflow_provider_talecraft.transfers.illustration_to_object_storage",
            },
            {
                "source-integration-name": "TaleCraft",
                "target-integration-name": "Common IO",
                "python-module": "airflow_provider_talecraft.transfers.illustration_batch_to_object_storage",
            },
        ],
        "extra-links": ["airflow_provider_talecraft.links.illustration.IllustrationLink"],
        "task-decorators": [
            {
                "name": "illustration",
                "class-name": "airflow_provider_talecraft.decorators.illustration.illustration_task",
            }
        ],
        "cli": ["airflow_provider_talecraft.cli.definition.get_cli_commands"],
        "connection-types": [
            {
                "connection-type": "talecraft",
                "hook-class-name": "airflow_provider_talecraft.hooks.talecraft.TaleCraftHook",
                "hook-name": "TaleCraft",
                "ui-field-behaviour": {
                    # The port stays visible: the page of Airflow 3.3.2 cannot test a stored connection without one.
                    # So does extra: without it, the Test button of 2.11's page for editing does nothing.
                    "hidden-fields": ["schema", "login"],
                    "relabeling": {"password": "API key"},
                    "placeholders": {
                        "host": "https://talescaleai.com",
                        "port": "443; type it, or Airflow 3.3 cannot test the connection",
                        "password": "TaleCraft > Settings > API Keys",
                    },
                },
                # No defaults here: the form would save them into every connection.
                "conn-fields": {
                    "connect_timeout": {
                        "label": "Connect timeout",
                        "description": "Seconds to open a connection; 5 if empty.",
                        "schema": {"type": ["number", "null"]},
                    },
                    "read_timeout": {
                        "label": "Read timeout",
                        "description": "Seconds to wait for a picture; 300 if empty. "
                        "A picture that comes later is paid for and lost.",
                        "schema": {"type": ["number", "null"]},
                    },
                    "requests_per_minute": {
                        "label": "Requests per minute",
                        "description": "Your plan's limit, for tasks that draw many pictures; 10 if empty.",
                        "schema": {"type": ["integer", "null"]},
                    },
                    "max_concurrency": {
                        "label": "Requests at the same time",
                        "description": "Your plan's limit, for tasks that draw many pictures; 2 if empty.",
                        "schema": {"type": ["integer", "null"]},
                    },
                    "credits_per_day": {
                        "label": "Credits per day",
                        "description": "The most that may be spent from midnight to midnight UTC; no limit if empty.",
                        "schema": {"type": ["integer", "null"]},
                    },
                    "image_hosts": {
                        "label": "Image hosts",
                        "description": "Hosts, comma-separated, from which pictures may be fetched "
                        "although they are not public https ones.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "allow_http": {
                        "label": "Allow plain http",
                        "description": "Send the API key unencrypted to a host that is not this machine.",
                        "schema": {"type": ["boolean", "null"]},
                    },
                },
            }
        ],
    }
