"""The endpoints under /v1, one small file per part of the trade."""

from api.routes.assignments import router as assignments
from api.routes.demand import router as demand
from api.routes.imports import router as imports
from api.routes.jobs import router as jobs
from api.routes.keys import router as keys
from api.routes.model_scores import router as model_scores
from api.routes.models import router as models
from api.routes.orders import router as orders
from api.routes.plan_papers import router as plan_papers
from api.routes.plan_states import router as plan_states
from api.routes.plan_tables import router as plan_tables
from api.routes.plans import router as plans
from api.routes.purchase_questions import router as purchase_questions
from api.routes.reference import router as reference
from api.routes.reference_rows import router as reference_rows
from api.routes.revisions import router as revisions
from api.routes.system import router as system

ROUTERS = (
    system,
    orders,
    imports,
    reference,
    reference_rows,
    models,
    model_scores,
    demand,
    plans,
    plan_states,
    purchase_questions,
    revisions,
    plan_tables,
    plan_papers,
    assignments,
    jobs,
    keys,
)

__all__ = ["ROUTERS"]
