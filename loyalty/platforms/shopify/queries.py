"""What is asked of Shopify's GraphQL Admin API, in its own words."""

from typing import Final

# The version these were written for: https://shopify.dev/docs/api/admin-graphql/2026-01
VERSION: Final = "2026-01"
# Small enough that a page costs well under the 1,000 points that one query may.
ORDERS_IN_PAGE: Final = 15
LINES_IN_PAGE: Final = 100

_LINE: Final = """
fragment line on LineItem {
  name title sku quantity
  originalUnitPriceSet { shopMoney { amount } }
  totalDiscountSet { shopMoney { amount } }
}
"""

_ORDER: Final = (
    """
fragment order on Order {
  id name confirmed test tags email phone customerLocale
  cancelledAt cancelReason closedAt processedAt createdAt updatedAt
  currencyCode presentmentCurrencyCode discountCodes
  displayFinancialStatus displayFulfillmentStatus paymentGatewayNames
  totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
  totalRefundedSet { shopMoney { amount currencyCode } }
  transactions(first: 10) { id kind status gateway amountSet { shopMoney { amount currencyCode } } }
  paymentTerms { paymentSchedules(first: 5) { nodes { dueAt completedAt } } }
  customer {
    id firstName lastName displayName
    defaultEmailAddress { emailAddress }
    defaultPhoneNumber { phoneNumber }
  }
  billingAddress { name }
  shippingAddress { name }
  lineItems(first: 15) { nodes { ...line } pageInfo { hasNextPage endCursor } }
}
"""
    + _LINE
)

SHOP: Final = "query { shop { name } currentAppInstallation { accessScopes { handle } } }"

ORDERS: Final = (
    """
query($first: Int!, $after: String, $query: String!) {
  orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { ...order }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _ORDER
)

ORDER: Final = "query($id: ID!) { order(id: $id) { ...order } }" + _ORDER

LINES: Final = (
    """
query($id: ID!, $first: Int!, $after: String) {
  order(id: $id) { lineItems(first: $first, after: $after) { nodes { ...line } pageInfo { hasNextPage endCursor } } }
}
"""
    + _LINE
)

CANCELLED: Final = "query($id: ID!) { order(id: $id) { id cancelledAt } }"

CANCEL: Final = """
mutation($id: ID!, $reason: OrderCancelReason!) {
  orderCancel(orderId: $id, reason: $reason, restock: true, notifyCustomer: false,
      refundMethod: { originalPaymentMethodsRefund: false }) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
"""

TAG: Final = """
mutation($id: ID!, $tags: [String!]!) {
  tagsAdd(id: $id, tags: $tags) { node { id } userErrors { field message } }
}
"""

WEBHOOKS: Final = """
query($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri format }
    pageInfo { hasNextPage endCursor }
  }
}
"""

CREATE_WEBHOOK: Final = """
mutation($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}
"""

_CODES: Final = "title codesCount { count } codes(first: 10, query: $query) { nodes { id code asyncUsageCount } }"

CODE: Final = f"""
query($code: String!, $query: String!) {{
  codeDiscountNodeByCode(code: $code) {{
    id
    codeDiscount {{
      __typename
      ... on DiscountCodeBasic {{ {_CODES} }}
      ... on DiscountCodeBxgy {{ {_CODES} }}
      ... on DiscountCodeFreeShipping {{ {_CODES} }}
      ... on DiscountCodeApp {{ {_CODES} }}
    }}
  }}
}}
"""

CREATE_CODE: Final = """
mutation($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id }
    userErrors { field code message }
  }
}
"""

DELETE_DISCOUNT: Final = """
mutation($id: ID!) {
  discountCodeDelete(id: $id) { deletedCodeDiscountId userErrors { field code message } }
}
"""

DELETE_ONE_CODE: Final = """
mutation($id: ID!, $codes: [ID!]!) {
  discountCodeRedeemCodeBulkDelete(discountId: $id, ids: $codes) {
    job { id }
    userErrors { field code message }
  }
}
"""
