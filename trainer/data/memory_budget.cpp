#include "trainer/data/memory_budget.h"

namespace convoy {

void BudgetClaim::add(std::int64_t bytes) {
  if (budget_ == nullptr || bytes <= kMostKeptBytes) return;
  std::unique_lock lock(budget_->mutex_);
  if (budget_->beyond_ != this) {
    if (held_ > 0) --budget_->working_;
    // Where all holders wait for more they would wait for each other: one goes on beyond the budget, and
    // waits no more until it is done.
    budget_->freed_.notify_all();
    const auto nobody_works = [&] { return budget_->working_ == 0 && budget_->beyond_ == nullptr; };
    budget_->freed_.wait(lock, [&] { return budget_->left_ >= bytes || nobody_works(); });
    if (budget_->left_ < bytes) budget_->beyond_ = this;
    ++budget_->working_;
  }
  budget_->left_ -= bytes;
  held_ += bytes;
}

void BudgetClaim::release() {
  if (held_ == 0) return;
  const std::lock_guard lock(budget_->mutex_);
  budget_->left_ += held_;
  held_ = 0;
  --budget_->working_;
  if (budget_->beyond_ == this) budget_->beyond_ = nullptr;
  budget_->freed_.notify_all();
}

}  // namespace convoy
