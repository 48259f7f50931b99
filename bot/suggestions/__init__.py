"""Questions that members suggest, and the review in which managers go through them and through reports."""
