"""SMPP 3.4 towards a carrier: binds that are kept up, messages as submit_sm, texts and receipts from deliver_sm."""

from stopwire.carriers.smpp.carrier import Smpp as Smpp
