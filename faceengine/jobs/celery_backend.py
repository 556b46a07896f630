"""Django's Tasks over Celery, with RabbitMQ or Redis: ``TASKS_ENGINE=celery`` and ``CELERY_BROKER_URL``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Celery
from django.conf import settings
from django.utils.module_loading import import_string
from django_tasks import TaskResult, TaskResultStatus
from django_tasks.backends.base import BaseTaskBackend

app = Celery("faceengine.jobs", broker=settings.CELERY_BROKER_URL, set_as_current=True)
app.conf.update(
    task_ignore_result=True,
    # A bell is done with when it was heard. Acknowledged only after hours of work, Redis would ring it a second time
    # and RabbitMQ would close the channel.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    # Who rings is a person's request: better no bell than a page that hangs. The sweep makes it good.
    task_publish_retry=False,
    broker_connection_timeout=2,
    broker_transport_options={"socket_connect_timeout": 2},
    # The only thread is busy with a job for hours and could not answer; TCP's keep-alive finds a dead line.
    broker_heartbeat=0,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_enable_remote_control=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


@app.task(name="faceengine.jobs.call")  # type: ignore[untyped-decorator]
def call(path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Call the Django task at that dotted path."""
    import_string(path).call(*args, **kwargs)


class CeleryBackend(BaseTaskBackend):
    """Sends each task as a message to the Celery queue of its name."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult[Any]:
        self.validate_task(task)
        sent = call.apply_async([task.module_path, args, kwargs], queue=task.queue_name)
        return TaskResult(
            task=task,
            id=sent.id,
            status=TaskResultStatus.READY,
            enqueued_at=datetime.now(UTC),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
